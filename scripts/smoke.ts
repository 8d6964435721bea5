/**
 * Starts the real service the way a newcomer does (`npm start`, no file, no key, no engine), asks it one question, streamed and
 * whole, and stops it. Exits 1 with the reason if anything a newcomer would see is missing.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const READY = /^switchyard listening on (http:\/\/\S+)$/
const READY_WITHIN_MS = 10_000
const PROVIDER_KEYS = ['OPENAI_API_KEY', 'ANTHROPIC_API_KEY', 'GEMINI_API_KEY']

async function main(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'switchyard-smoke-'))
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !PROVIDER_KEYS.includes(name)))
  const started = performance.now()
  const child = spawn('npm', ['start', '--silent', '--', '--port', '0', '--no-detect', '--data-dir', dataDir], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  try {
    const url = await readyUrl(child.stdout)
    console.log(`ready after ${Math.round(performance.now() - started)} ms, npm included`)
    await askWhole(url)
    await askStream(url)
    process.kill(-(child.pid as number), 'SIGTERM')
    const code = await Promise.race([exited, sleep(10_000, 'still running')])
    // npm reports the signal that it got itself (128 + 15) although the service under it ends with 0.
    assert(code === 0 || code === 143 || code === null, `the service ended with ${code} after SIGTERM`)
    console.log('smoke: passed')
  } finally {
    if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid as number), 'SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function readyUrl(stdout: NodeJS.ReadableStream): Promise<string> {
  const found = (async () => {
    for await (const line of createInterface({ input: stdout })) {
      const url = READY.exec(line)?.[1]
      if (url !== undefined) return url
    }
    throw new Error('the service ended before it was ready')
  })()
  const late = sleep(READY_WITHIN_MS, undefined, { ref: false }).then(() => {
    throw new Error(`not ready within ${READY_WITHIN_MS} ms`)
  })
  return Promise.race([found, late])
}

function ask(url: string, stream: boolean): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
      stream,
      temperature: 0,
      messages: [{ role: 'user', content: 'What is a switchyard?' }],
    }),
  })
}

async function askWhole(url: string): Promise<void> {
  const response = await ask(url, false)
  const body = (await response.json()) as { choices?: { message?: { content?: string } }[] }
  assert(response.status === 200, `status ${response.status}: ${JSON.stringify(body)}`)
  for (const name of ['x-route', 'x-route-reason', 'x-cost-usd', 'x-request-id']) {
    assert(response.headers.has(name), `the header ${name} is missing`)
  }
  // The README shows this answer to whoever tries the first request.
  assert(response.headers.get('x-route') === 'local', 'the first request goes to the big model')
  const text = body.choices?.[0]?.message?.content ?? ''
  assert(text.startsWith('[simulated] '), `a simulated answer must say so: ${text}`)
  console.log(
    `whole answer: route ${response.headers.get('x-route')} (${response.headers.get('x-route-reason')}), $${response.headers.get('x-cost-usd')}`,
  )
}

async function askStream(url: string): Promise<void> {
  const response = await ask(url, true)
  const text = await response.text()
  assert(response.status === 200, `status ${response.status}: ${text}`)
  assert(text.endsWith('data: [DONE]\n\n'), `the stream does not end in [DONE]: ${text.slice(-200)}`)
}

function assert(isTrue: boolean, otherwise: string): asserts isTrue {
  if (!isTrue) throw new Error(otherwise)
}

await main()
