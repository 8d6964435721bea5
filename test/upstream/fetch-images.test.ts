/** Pictures by address: only from listed hosts, only from public addresses, only pictures, and not for ever. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { ChatRequest, Message } from '../../src/protocol/request.ts'
import { decodeChatRequest } from '../../src/protocol/openai-chat/decode-request.ts'
import { withFetchedImages, type FetchImagesOptions } from '../../src/upstream/fetch-images.ts'
import { fakePng } from '../support/fake-image.ts'

/** A server that a public name leads to, as far as the fetcher is told. */
async function pictures(answer: RequestListener): Promise<{ readonly port: number; readonly seen: string[] }> {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(`${request.headers.host}${request.url}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, seen }
}
function png(bytes = 1000): RequestListener {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'image/png' })
    response.end(fakePng(bytes))
  }
}
const LOCAL: FetchImagesOptions = {
  hosts: ['pictures.example.com', '*.cdn.example.com'],
  resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  isPublic: () => true,
}
function ask(...urls: readonly string[]): ChatRequest {
  const request = decodeChatRequest(
    { model: 'm', messages: [{ role: 'user', content: 'x' }] },
    { bodyBytes: 100, unknownFields: 'refuse' },
  )
  const messages: Message[] = [{ role: 'user', content: urls.map((url) => ({ type: 'image', url })) }]
  return { ...request, messages }
}
const fetchAll = (request: ChatRequest, options: FetchImagesOptions = LOCAL): Promise<ChatRequest> =>
  withFetchedImages(request, options, new AbortController().signal)
const refused = { code: 'invalid_image_url', param: 'messages[0].content[0].image_url.url' }

test('a picture of a listed host becomes data, one of another host stays an address', async () => {
  const { port, seen } = await pictures(png())
  const other = 'http://other.example.com/a.png'
  const { messages } = await fetchAll(
    ask(`http://pictures.example.com:${port}/a.png`, `http://b.cdn.example.com:${port}/b.png`, other),
  )
  const data = `data:image/png;base64,${fakePng(1000).toString('base64')}`
  expect(messages).toEqual([{ role: 'user', content: [data, data, other].map((url) => ({ type: 'image', url })) }])
  expect(seen).toEqual([`pictures.example.com:${port}/a.png`, `b.cdn.example.com:${port}/b.png`])
})

test('the same picture twice is fetched once, and without pictures nothing is', async () => {
  const { port, seen } = await pictures(png())
  const url = `http://pictures.example.com:${port}/a.png`
  await fetchAll(ask(url, url))
  expect(seen).toHaveLength(1)
  const plain = ask()
  expect(await fetchAll(plain)).toBe(plain)
})

test.each([
  ['loopback', [{ address: '127.0.0.1', family: 4 }]],
  ['a link-local address (metadata of clouds)', [{ address: '169.254.169.254', family: 4 }]],
  ['IPv4 inside of IPv6', [{ address: '::ffff:10.0.0.1', family: 6 }]],
  [
    'one private address beside a public one',
    [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ],
  ],
  ['nothing', []],
])('a name that leads to %s is not asked', async (_what, addresses) => {
  const { port, seen } = await pictures(png())
  const options = { hosts: LOCAL.hosts, resolve: async () => addresses }
  await expect(fetchAll(ask(`http://pictures.example.com:${port}/a.png`), options)).rejects.toMatchObject(refused)
  expect(seen).toHaveLength(0)
})

test('a redirect is not followed', async () => {
  const inside = await pictures(png())
  const { port } = await pictures((_request, response) => {
    response.writeHead(302, { location: `http://127.0.0.1:${inside.port}/secret` })
    response.end()
  })
  await expect(fetchAll(ask(`http://pictures.example.com:${port}/a.png`))).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining('answered 302'),
  })
  expect(inside.seen).toHaveLength(0)
})

test.each<[string, RequestListener, string]>([
  [
    'a page',
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    'is no PNG, JPEG or WebP',
  ],
  [
    'text that calls itself a picture',
    (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end('no picture'),
    'does not hold a readable PNG image',
  ],
  ['more than 20 MiB', png(20 * 1024 * 1024 + 1), 'is too large'],
  ['nothing in time', () => {}, 'did not come in time'],
])('%s is refused', async (_what, answer, why) => {
  const { port } = await pictures(answer)
  const options = { ...LOCAL, deadlineMs: answer.length === 0 ? 50 : 10_000 }
  await expect(fetchAll(ask(`http://pictures.example.com:${port}/a.png`), options)).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(why),
  })
})
