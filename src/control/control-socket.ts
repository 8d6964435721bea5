import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type Server } from 'node:net'
import { basename, join } from 'node:path'
import { errorBody } from '../protocol/openai-chat/error-body.ts'
import { SwitchyardError, toSwitchyardError } from '../shared/errors.ts'
import type { Operations } from './operations.ts'
import { controlSocketPath, socketFolder } from './socket-path.ts'

/** Inputs are a few settings. */
const MAX_BODY_BYTES = 1024 * 1024
/** Name of the socket in the fresh folder where it is bound; `.c-XXXXXX/s` is no longer than `control.sock`. */
const BOUND_NAME = 's'

export interface ControlSocket {
  /** May be called again. */
  close(): Promise<void>
}

/** A data directory that cannot hold a control socket; the message is for the operator. */
export class ControlSocketError extends Error {}

/**
 * Takes operations as `POST /NAME` with JSON on `<dataDir>/control.sock`. Whoever may connect may do everything, so the socket is the
 * owner's alone (mode 0600) from the first moment on: it is bound in a fresh folder of mode 0700 and then moved to its place, which also
 * replaces what a killed service left behind in one step. Throws ControlSocketError where the directory is open to others or
 * another service answers already.
 * @param onDefect Hears of errors that are ours; their cause is for the log.
 */
export async function openControlSocket(
  dataDir: string,
  operations: Operations,
  onDefect: (error: SwitchyardError) => void,
): Promise<ControlSocket> {
  const path = controlSocketPath(dataDir)
  checkDirectory(dataDir)
  const short = socketFolder(dataDir)
  if (await answers(controlSocketPath(short.path))) {
    short.close()
    throw new ControlSocketError(
      `another switchyard runs on ${dataDir}. Stop that one, or choose another directory with --data-dir.`,
    )
  }
  const folder = mkdtempSync(join(dataDir, '.c-'))
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    void answer(request, response, operations, onDefect)
  })
  try {
    await listen(server, join(short.path, basename(folder), BOUND_NAME))
    chmodSync(join(folder, BOUND_NAME), 0o600)
    renameSync(join(folder, BOUND_NAME), path)
  } catch (error) {
    server.close()
    short.close()
    const why = error instanceof Error ? error.message : String(error)
    throw new ControlSocketError(`no control socket can be made in ${dataDir}: ${why}.`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { ino } = statSync(path)
  let closed: Promise<void> | undefined
  return { close: () => (closed ??= close()) }

  async function close(): Promise<void> {
    // Only our own: a service that came after us may have replaced it.
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    short.close()
  }
}

function checkDirectory(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const { mode } = statSync(dataDir)
  if ((mode & 0o002) !== 0) {
    throw new ControlSocketError(
      `every user of this machine may write to ${dataDir}, and so could make keys. Run chmod o-w on it.`,
    )
  }
}

/** Whether somebody listens there. What a killed process left refuses connections. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  operations: Operations,
  onDefect: (error: SwitchyardError) => void,
): Promise<void> {
  try {
    if (request.method !== 'POST') throw new SwitchyardError('method_not_allowed', 'Operations are called with POST.')
    const input: unknown = JSON.parse(await textOf(request))
    reply(response, 200, JSON.stringify(await operations.call((request.url ?? '').slice(1), input)))
  } catch (thrown) {
    const error =
      thrown instanceof SyntaxError
        ? new SwitchyardError('invalid_json', 'The body is no JSON.')
        : toSwitchyardError(thrown)
    if (error.code === 'internal_error') onDefect(error)
    reply(response, error.status, errorBody(error))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY_BYTES) throw new SwitchyardError('request_too_large', 'The body is larger than 1 MiB.')
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

function reply(response: ServerResponse, status: number, body: string): void {
  if (response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) })
  response.end(body)
}
