/**
 * Pictures by address for providers that want bytes. Only from hosts that the operator has listed, and from public addresses: the name
 * is resolved once, what it resolves to is checked, and the connection goes there and nowhere else (no DNS rebinding, no redirects).
 */
import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { Agent, request as send } from 'undici'
import { checkImageDataUrl, isPublicAddress } from '../protocol/public-url.ts'
import type { ChatRequest, ImagePart, Message } from '../protocol/request.ts'
import { SwitchyardError } from '../shared/errors.ts'

/** All pictures of a request together: what Google takes inside of one. */
const MAX_BYTES = 20 * 1024 * 1024
/** All of them together, ms. */
const DEADLINE_MS = 15_000
const TYPES: ReadonlySet<string> = new Set(['image/png', 'image/jpeg', 'image/webp'])

export interface FetchImagesOptions {
  /** `pictures.example.com`, or `*.example.com` for all below it. */
  readonly hosts: readonly string[]
  /** Addresses of a name; for tests. */
  readonly resolve?: (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>
  /** Whether an address is out in the world; for tests. */
  readonly isPublic?: (address: string) => boolean
  readonly deadlineMs?: number
}

/**
 * The request with every picture of a listed host as data. Others stay as they are, for the encoder to refuse. Throws
 * `invalid_image_url` for a picture that cannot be had, and returns the same object where there is none to fetch.
 */
export async function withFetchedImages(
  request: ChatRequest,
  options: FetchImagesOptions,
  signal: AbortSignal,
): Promise<ChatRequest> {
  const wanted = request.messages.flatMap((message, at) => picturesOf(message, at, options.hosts))
  if (wanted.length === 0) return request
  const agent = new Agent({ connect: { lookup: pinnedLookup(options), timeout: DEADLINE_MS }, maxHeaderSize: 16_384 })
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(options.deadlineMs ?? DEADLINE_MS)])
  const fetched = new Map<string, string>()
  let left = MAX_BYTES
  try {
    for (const { url, param } of wanted) {
      if (fetched.has(url)) continue
      const picture = await fetchOne(url, param, agent, left, deadline)
      left -= picture.bytes
      fetched.set(url, picture.dataUrl)
    }
  } finally {
    await agent.destroy()
  }
  const messages = request.messages.map((message) => withData(message, fetched))
  return { ...request, messages }
}

function picturesOf(
  message: Message,
  at: number,
  hosts: readonly string[],
): readonly { readonly url: string; readonly param: string }[] {
  if ((message.role !== 'user' && message.role !== 'tool') || typeof message.content === 'string') return []
  return message.content.flatMap((part, index) =>
    part.type === 'image' && isListed(part.url, hosts)
      ? [{ url: part.url, param: `messages[${at}].content[${index}].image_url.url` }]
      : [],
  )
}

function isListed(url: string, hosts: readonly string[]): boolean {
  if (url.startsWith('data:')) return false
  const { hostname } = new URL(url)
  return hosts.some((host) => (host.startsWith('*.') ? hostname.endsWith(host.slice(1)) : hostname === host))
}

function withData(message: Message, fetched: ReadonlyMap<string, string>): Message {
  if (typeof message.content === 'string') return message
  const inlined = <Part extends { readonly type: string }>(part: Part): Part => {
    if (part.type !== 'image') return part
    const dataUrl = fetched.get((part as unknown as ImagePart).url)
    return dataUrl === undefined ? part : { ...part, url: dataUrl }
  }
  if (message.role === 'user') return { ...message, content: message.content.map(inlined) }
  if (message.role === 'tool') return { ...message, content: message.content.map(inlined) }
  return message
}

async function fetchOne(
  url: string,
  param: string,
  dispatcher: Agent,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ readonly dataUrl: string; readonly bytes: number }> {
  const refuse = (why: string, cause?: unknown): SwitchyardError =>
    new SwitchyardError('invalid_image_url', `The picture of '${param}' ${why}. Send it as a data: address.`, {
      param,
      cause,
    })
  try {
    const answer = await send(url, { dispatcher, signal, headers: { accept: [...TYPES].join(', ') }, reset: true })
    const { statusCode, headers, body } = answer
    // A body that is left unread emits an error, which without a listener would end the process.
    body.on('error', () => {})
    const give = (why: string): SwitchyardError => {
      body.destroy()
      return refuse(why)
    }
    if (statusCode !== 200) throw give(`could not be fetched: its host answered ${statusCode}`)
    const type = String(headers['content-type'] ?? '').split(';', 1)[0] as string
    if (!TYPES.has(type)) throw give('is no PNG, JPEG or WebP')
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of body as AsyncIterable<Buffer>) {
      bytes += piece.length
      if (bytes > maxBytes) throw give('is too large: all pictures of a request together may have 20 MiB')
      pieces.push(piece)
    }
    const dataUrl = `data:${type};base64,${Buffer.concat(pieces).toString('base64')}`
    const verdict = checkImageDataUrl(dataUrl)
    if (!verdict.ok) throw refuse(verdict.why)
    return { dataUrl, bytes }
  } catch (thrown) {
    if (thrown instanceof SwitchyardError) throw thrown
    throw refuse(signal.aborted ? 'did not come in time' : 'could not be fetched', thrown)
  }
}

/** Resolves a name once and gives the connection only what is public; a name with one private address is refused as a whole. */
function pinnedLookup({ resolve = resolveAll, isPublic = isPublicAddress }: FetchImagesOptions): LookupFunction {
  return (host, { all }, callback) => {
    resolve(host).then(
      (found) => {
        const [first] = found
        if (first === undefined || !found.every(({ address }) => isPublic(address)))
          callback(new Error(`${host} has no public address`), '', 0)
        else if (all === true) callback(null, [{ ...first }])
        else callback(null, first.address, first.family)
      },
      (error: Error) => callback(error, '', 0),
    )
  }
}

function resolveAll(host: string): ReturnType<NonNullable<FetchImagesOptions['resolve']>> {
  return lookup(host, { all: true })
}
