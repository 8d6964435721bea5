/** The service as a process of its own, as `switchyard serve` builds it, but with weights that are named: CONFIG DATA_DIR LOG GAIN_HEADS ACCEPTANCE. */
import { createWriteStream } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { hasMadeKeys } from '../../src/store/key-store.ts'
import { VERSION } from '../../src/version.ts'

const [config, dataDir, log = '', gainHeads = '', acceptance = ''] = process.argv.slice(2)
const flags = { config, dataDir, port: '0', host: undefined, log: 'off', simulate: false, noDetect: true }
const loaded = await loadConfig(flags, { env: process.env, cwd: process.cwd(), hasMadeKeys })
const weights = { gainHeads, acceptance: pathToFileURL(acceptance) }
const lines = createWriteStream(log)
const app = await buildApp(loaded, { log: lines, version: VERSION, weights })
process.once('SIGTERM', () => void app.close('drain').then(() => lines.end()))
const { url } = await app.listen()
console.log(`switchyard listening on ${url}`)
