/** `npm run docs:conformance`: prints docs/streaming-conformance.md from the list and the results kept; `--write` writes it. */
import { writeFileSync } from 'node:fs'
import { LIST } from './conformance/list.ts'
import { conformancePage } from './conformance/page.ts'
import { readResults } from './conformance/results.ts'

const page = conformancePage(LIST, readResults())
if (process.argv.includes('--write')) writeFileSync(new URL('../docs/streaming-conformance.md', import.meta.url), page)
else process.stdout.write(page)
