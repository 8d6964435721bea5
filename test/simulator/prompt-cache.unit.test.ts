import { expect, test } from 'vitest'
import { imageSize } from '../../src/simulator/image-size.ts'
import { PromptCache, type Segment } from '../../src/simulator/prompt-cache.ts'
import { pngHead } from '../support/simulated-wire.ts'

const part = (text: string, tokens: number, ttl?: '5m' | '1h'): Segment => ({ text, tokens, ...(ttl && { ttl }) })

test('a marked prefix is written once, read afterwards, and only the new part is written again', () => {
  const cache = new PromptCache(() => 1)
  const first = [part('tools', 1000), part('system', 500, '1h'), part('question', 200, '5m'), part('tail', 30)]
  expect(cache.marked('m', first, 1024)).toEqual({ uncached: 30, cachedRead: 0, cacheWrite5m: 200, cacheWrite1h: 1500 })
  expect(cache.marked('m', first, 1024)).toEqual({ uncached: 30, cachedRead: 1700, cacheWrite5m: 0, cacheWrite1h: 0 })
  const next = [...first.slice(0, 3), part('tail', 30), part('more', 100, '5m')]
  expect(cache.marked('m', next, 1024)).toEqual({ uncached: 0, cachedRead: 1700, cacheWrite5m: 130, cacheWrite1h: 0 })
})

test('another model, another first part, and a prefix that is too short have nothing in common', () => {
  const cache = new PromptCache(() => 1)
  cache.marked('m', [part('a', 2000, '5m')], 1024)
  expect(cache.marked('other', [part('a', 2000, '5m')], 1024).cachedRead).toBe(0)
  expect(cache.marked('m', [part('b', 2000, '5m')], 1024).cachedRead).toBe(0)
  expect(cache.marked('m', [part('short', 1023, '5m')], 1024)).toMatchObject({ uncached: 1023, cacheWrite5m: 0 })
})

test('what is not read for its time is gone; reading keeps it', () => {
  let now = 1
  const cache = new PromptCache(() => now)
  const prompt = [part('a', 2000, '5m')]
  cache.marked('m', prompt, 1024)
  now += 299_999
  expect(cache.marked('m', prompt, 1024).cachedRead).toBe(2000)
  now += 299_999
  expect(cache.marked('m', prompt, 1024).cachedRead).toBe(2000)
  now += 300_000
  expect(cache.marked('m', prompt, 1024)).toMatchObject({ cachedRead: 0, cacheWrite5m: 2000 })
})

test('automatic caching reads whole steps of a prefix and never the whole prompt', () => {
  const cache = new PromptCache(() => 1)
  const text = 'word '.repeat(1400).trim()
  expect(cache.automatic('m', text, 1400, 1024, 128).cachedRead).toBe(0)
  expect(cache.automatic('m', text, 1400, 1024, 128)).toMatchObject({ uncached: 120, cachedRead: 1280 })
  expect(cache.automatic('m', `${text} and more`, 1402, 1024, 128).cachedRead).toBe(1280)
  expect(cache.automatic('m', `other ${text}`, 1401, 1024, 128).cachedRead).toBe(0)
  expect(cache.automatic('m', text, 1280, 1024, 128).cachedRead).toBe(1152)
})

test('pictures of each format have the size that is written in them', () => {
  const gif = Buffer.from('GIF89a\x40\x01\xf0\x00', 'latin1').toString('base64')
  const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8, 0, 240, 1, 64, 3, 0, 0]).toString(
    'base64',
  )
  const webp = Buffer.alloc(30)
  webp.write('RIFF', 0, 'latin1')
  webp.write('WEBPVP8X', 8, 'latin1')
  webp.writeUIntLE(319, 24, 3)
  webp.writeUIntLE(239, 27, 3)
  for (const source of [`data:image/png;base64,${pngHead(320, 240)}`, gif, jpeg, webp.toString('base64')])
    expect(imageSize(source)).toEqual({ width: 320, height: 240 })
  expect(imageSize('https://example.org/a.png')).toEqual({ width: 1024, height: 1024 })
})
