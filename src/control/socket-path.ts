import { closeSync, constants, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'

const NAME = 'control.sock'
/** Shortest of the platforms (macOS 104, Linux 108: unix(7)) less the terminating zero. */
const MAX_PATH_BYTES = 103
/** Linux: the folders that this process has open, under short names (proc(5)). */
const OPEN_FOLDERS = '/proc/self/fd'

/** Where a service that keeps its state in this directory takes commands. */
export function controlSocketPath(dataDir: string): string {
  return join(dataDir, NAME)
}

/**
 * The directory under a name that is short enough for the address of a socket in it: its own, or on Linux that of an open descriptor,
 * which `close` gives back. Elsewhere a long one stays as it is, and the socket is refused.
 */
export function socketFolder(dataDir: string): { readonly path: string; close(): void } {
  const isShort = Buffer.byteLength(controlSocketPath(dataDir)) <= MAX_PATH_BYTES
  if (isShort || !existsSync(OPEN_FOLDERS) || !existsSync(dataDir)) return { path: dataDir, close: () => {} }
  const descriptor = openSync(dataDir, constants.O_RDONLY | constants.O_DIRECTORY)
  return { path: join(OPEN_FOLDERS, String(descriptor)), close: () => closeSync(descriptor) }
}
