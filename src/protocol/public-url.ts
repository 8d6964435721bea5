/**
 * Checks of caller-given addresses. We never fetch them, but the model server behind us may: an address that means the inside of
 * somebody's network must not get that far (server-side request forgery, OWASP SSRF prevention cheat sheet).
 */
import ipaddr from 'ipaddr.js'

export type UrlVerdict = { readonly ok: true } | { readonly ok: false; readonly why: string }

const OK: UrlVerdict = { ok: true }
const MAX_URL = 2048
/** Names that resolve inside a host or network, whatever the DNS says (RFC 6761, RFC 6762, RFC 8375, cloud metadata). */
const PRIVATE_SUFFIXES =
  /(?:^|\.)(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|onion|arpa|cluster\.local|svc)$/
/** Names of cloud providers' metadata services outside of the suffixes above; some resolve to a link-local address. */
const METADATA = /^(?:metadata|instance-data|rancher-metadata)\./
/** Public services whose names resolve to the address written in them. */
const ADDRESS_IN_NAME =
  /(?:^|\.)(?:nip\.io|sslip\.io|xip\.io|traefik\.me|localtest\.me|lvh\.me|vcap\.me|lacolhost\.com|yoogle\.com|readme\.localtest\.me)$/
const NAME = /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/
const ALLOWED_PORTS: ReadonlySet<string> = new Set(['', '80', '443', '8080', '8443'])

/** Whether `url` is an http(s) address of a public host, spelled in a way that every parser reads alike. */
export function checkPublicHttpUrl(url: string): UrlVerdict {
  if (url.length > MAX_URL) return no('is longer than 2,048 characters')
  if (!/^https?:\/\/[^/?#]/i.test(url)) return no('is neither an http(s) nor a data address')
  // What parsers disagree about is refused before one of them is believed.
  if (/[\s\\]|[^\x21-\x7e]/.test(url)) return no('has spaces, backslashes or characters outside ASCII')
  const authority = url.slice(url.indexOf('//') + 2).split(/[/?#]/, 1)[0] as string
  if (authority.includes('@')) return no('carries credentials')
  if (authority.includes('%')) return no('has an escaped host')
  if (/%0[ad]/i.test(url) || /^[^/]*[?#].*@/.test(url.slice(url.indexOf('//') + 2))) return no('is spelled ambiguously')
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch {
    return no('is not a valid address')
  }
  if (!ALLOWED_PORTS.has(parsed.port)) return no('has a port other than 80, 443, 8080 or 8443')
  const host = parsed.hostname.toLowerCase()
  if (ipaddr.isValid(host.replace(/^\[|\]$/g, ''))) return checkAddress(host.replace(/^\[|\]$/g, ''), authority)
  return checkName(host, authority)
}

function checkAddress(host: string, authority: string): UrlVerdict {
  // Octal, hexadecimal, short and decimal spellings end here: the parser turned them into something else than was written.
  const written = authority
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase()
  if (host.includes('.') && written !== host) return no('has an unusual spelling of an IP address')
  return isPublicAddress(host) ? OK : no('is not a public IP address')
}

/** Whether an IP address is out in the world. */
export function isPublicAddress(text: string): boolean {
  if (!ipaddr.isValid(text)) return false
  const address = ipaddr.process(text)
  // Of IPv6 only 2000::/3 is given out (IANA); the rest holds old ways to write an IPv4 address.
  const isGiven = address.kind() === 'ipv4' || /^[23][0-9a-f]{3}:/.test(address.toNormalizedString().padStart(4, '0'))
  return isGiven && address.range() === 'unicast'
}

function checkName(host: string, authority: string): UrlVerdict {
  if (host.endsWith('.') || !NAME.test(host)) return no('is not a public host name')
  if (authority.replace(/:\d*$/, '').toLowerCase() !== host) return no('is spelled ambiguously')
  if (PRIVATE_SUFFIXES.test(host) || METADATA.test(host) || ADDRESS_IN_NAME.test(host))
    return no('names a private host')
  return OK
}

/** Largest side of an image that is passed on, pixels: decoders allocate width x height before they read a byte of it. */
const MAX_SIDE = 16_384
const DATA_URL = /^data:(image\/(?:png|jpeg|webp|gif));base64,/
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
/** Enough of an image to find its dimensions. */
const HEAD_CHARS = 64 * 1024

/** Whether a `data:` URL holds the beginning of a real image of a kind that models take, with sane dimensions. */
export function checkImageDataUrl(url: string): UrlVerdict {
  const type = DATA_URL.exec(url)?.[1]
  if (type === undefined) return no('is not a base64 data address of a PNG, JPEG, WebP or GIF image')
  const start = url.indexOf(',') + 1
  const head = url.slice(start, start + HEAD_CHARS)
  if (!isBase64(url, start)) return no('is not valid base64')
  const size = dimensions(type, Buffer.from(head, 'base64'))
  if (size === undefined) return no(`does not hold a readable ${type.slice(6).toUpperCase()} image`)
  const [width, height] = size
  if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
    return no(`has sides outside 1 to ${MAX_SIDE} pixels`)
  return OK
}

/** Checks in slices, since one regular expression over megabytes would block. */
function isBase64(url: string, start: number): boolean {
  for (let at = start; at < url.length; at += HEAD_CHARS) {
    const slice = url.slice(at, at + HEAD_CHARS)
    if (!BASE64.test(slice)) return false
    if (slice.includes('=') && at + HEAD_CHARS < url.length) return false
  }
  return url.length > start
}

function dimensions(type: string, bytes: Buffer): readonly [width: number, height: number] | undefined {
  switch (type) {
    case 'image/png':
      if (bytes.length < 24 || bytes.toString('latin1', 1, 4) !== 'PNG' || bytes.toString('latin1', 12, 16) !== 'IHDR')
        return undefined
      return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
    case 'image/gif':
      if (bytes.length < 10 || !/^GIF8[79]a/.test(bytes.toString('latin1', 0, 6))) return undefined
      return [bytes.readUInt16LE(6), bytes.readUInt16LE(8)]
    case 'image/webp':
      return webpDimensions(bytes)
    case 'image/jpeg':
      return jpegDimensions(bytes)
    default:
      return undefined
  }
}

/** RFC 9649: lossy, lossless or extended first chunk. */
function webpDimensions(bytes: Buffer): readonly [number, number] | undefined {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WEBP')
    return undefined
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      return [bytes.readUInt16LE(26) & 0x3fff, bytes.readUInt16LE(28) & 0x3fff]
    case 'VP8L': {
      const bits = bytes.readUInt32LE(21)
      return [(bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1]
    }
    case 'VP8X':
      return [bytes.readUIntLE(24, 3) + 1, bytes.readUIntLE(27, 3) + 1]
    default:
      return undefined
  }
}

/** ITU T.81: walks the segments to the start-of-frame marker. */
function jpegDimensions(bytes: Buffer): readonly [number, number] | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined
  let at = 2
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return undefined
    const marker = bytes[at + 1] as number
    if (marker === 0xff) {
      at += 1
      continue
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame) return [bytes.readUInt16BE(at + 7), bytes.readUInt16BE(at + 5)]
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

function no(why: string): UrlVerdict {
  return { ok: false, why }
}
