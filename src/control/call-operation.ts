import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { requestOf } from './http-route.ts'
import { controlSocketPath, socketFolder } from './socket-path.ts'
import type { HttpRoute } from './operations.ts'

/** Longest silence of a service that was asked for something. */
const TIMEOUT_MS = 15_000

/** The service said no; the message is its own sentence. */
export class OperationRefused extends Error {}
/** Nothing usable answered; the message says what happened. */
export class ServiceUnreachable extends Error {}

/**
 * Calls an operation of the service that keeps its state in `dataDir`, over its control socket. Resolves with `isRunning: false` where
 * none runs (no socket, or one that a killed service left). Rejects with OperationRefused or ServiceUnreachable.
 */
export async function callOverSocket(
  dataDir: string,
  name: string,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<{ readonly isRunning: false } | { readonly isRunning: true; readonly result: unknown }> {
  checkOwner(controlSocketPath(dataDir))
  const folder = socketFolder(dataDir)
  const socketPath = controlSocketPath(folder.path)
  try {
    const body = JSON.stringify(input)
    return {
      isRunning: true,
      result: await exchange(httpRequest, { socketPath, method: 'POST', path: `/${name}`, timeout: timeoutMs }, body),
    }
  } catch (error) {
    const code = error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? error.cause.code : ''
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return { isRunning: false }
    throw error
  } finally {
    folder.close()
  }
}

/** Calls an operation over HTTP with the admin key. Rejects with OperationRefused or ServiceUnreachable. */
export function callOverHttp(
  url: string,
  adminKey: string,
  route: HttpRoute,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number = TIMEOUT_MS,
): Promise<unknown> {
  const { protocol, hostname, port, pathname } = new URL(url)
  const { method, path, body } = requestOf(route, input)
  const options: RequestOptions = {
    // Of an IPv6 address a URL keeps the brackets, which no resolver takes.
    hostname: hostname.replace(/^\[(.*)\]$/, '$1'),
    port,
    method,
    path: pathname.replace(/\/(?:v1\/?)?$/, '') + path,
    headers: { authorization: `Bearer ${adminKey}` },
    timeout: timeoutMs,
  }
  return exchange(protocol === 'https:' ? httpsRequest : httpRequest, options, body)
}

/** A socket that another user put there would hear the commands, and answer them as it likes. */
function checkOwner(socketPath: string): void {
  const uid = statSync(socketPath, { throwIfNoEntry: false })?.uid
  const own = ownUid()
  // Root may command everybody's service.
  if (uid !== undefined && own !== undefined && own > 0 && uid !== own)
    throw new ServiceUnreachable(`${socketPath} belongs to another user. Run the command as the user of the service.`)
}

/** Undefined where this user has no name, as in many containers; there the socket's mode alone decides. */
function ownUid(): number | undefined {
  try {
    return userInfo().uid
  } catch {
    return undefined
  }
}

function exchange(request: typeof httpRequest, options: RequestOptions, body: string | undefined): Promise<unknown> {
  const where = options.socketPath ?? `${options.hostname}:${options.port}`
  return new Promise((resolve, reject) => {
    const headers = {
      ...(options.headers as Record<string, string> | undefined),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    }
    const sent = request({ ...options, headers, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.once('error', fail)
      response.once('end', () => {
        const answer = parse(Buffer.concat(parts).toString())
        if (response.statusCode === 200 && answer !== undefined) return resolve(answer)
        reject(
          refusalIn(answer) ??
            new ServiceUnreachable(`${where} answered ${response.statusCode}, and not as switchyard does.`),
        )
      })
    })
    const fail = (cause: Error): void =>
      reject(new ServiceUnreachable(`${where} cannot be reached: ${cause.message}.`, { cause }))
    sent.once('error', fail)
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${(options.timeout ?? 0) / 1000} s`)))
    sent.end(body)
  })
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refusalIn(answer: unknown): OperationRefused | undefined {
  const error = (answer as { readonly error?: { readonly message?: unknown } } | null | undefined)?.error
  return typeof error?.message === 'string' ? new OperationRefused(error.message) : undefined
}
