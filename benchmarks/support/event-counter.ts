import { StringDecoder } from 'node:string_decoder'

/**
 * Decodes a server-sent event stream chunk by chunk and parses the JSON of every event, as a relay that counts tokens
 * has to. Returns the feeding function; each call answers how many events were seen so far.
 */
export function eventCounter(): (chunk: Buffer) => number {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let events = 0
  return (chunk) => {
    rest += decoder.write(chunk)
    let start = 0
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n', start)) {
      const data = rest.slice(start, end)
      start = end + 2
      if (!data.startsWith('data: ') || data === 'data: [DONE]') continue
      const parsed: unknown = JSON.parse(data.slice(6))
      if (typeof parsed === 'object' && parsed !== null) events += 1
    }
    rest = rest.slice(start)
    return events
  }
}
