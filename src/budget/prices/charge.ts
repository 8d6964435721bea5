import type { Usage } from '../../protocol/answer.ts'
import type { NanoUsd } from '../../shared/money.ts'
import { ratesFor, type Price } from '../../shared/price.ts'
import { TokenCost } from './token-cost.ts'

/**
 * Price of `usage` in nano-dollars, exact and rounded up once for the whole attempt. Every token pays the rate of one kind. What
 * is audio or an image is so whether or not it was cached, because providers do not report the overlap; where the parts add up to
 * more than the whole, the later ones give way. Throws RangeError on overflow (never a rounding).
 */
export function charge(usage: Usage, price: Price): NanoUsd {
  const rates = ratesFor(price, usage.input, usage.serviceTier)
  const { inputPerM, outputPerM } = rates
  const cost = new TokenCost()

  let left = usage.input
  const audio = Math.min(left, usage.audioInput)
  cost.add(audio, rates.audioInputPerM ?? inputPerM)
  left -= audio
  const image = Math.min(left, usage.imageInput ?? 0)
  cost.add(image, rates.imageInputPerM ?? inputPerM)
  left -= image
  const writePerM = rates.cacheWritePerM ?? inputPerM
  const written1h = Math.min(left, usage.cacheWrite1h ?? 0)
  cost.add(written1h, rates.cacheWrite1hPerM ?? writePerM)
  left -= written1h
  const written = Math.min(left, Math.max(0, usage.cacheWrite - (usage.cacheWrite1h ?? 0)))
  cost.add(written, writePerM)
  left -= written
  const cached = Math.min(left, usage.cachedInput)
  cost.add(cached, rates.cachedInputPerM ?? inputPerM)
  cost.add(left - cached, inputPerM)

  left = usage.output
  const audioOut = Math.min(left, usage.audioOutput)
  cost.add(audioOut, rates.audioOutputPerM ?? outputPerM)
  left -= audioOut
  const imageOut = Math.min(left, usage.imageOutput ?? 0)
  cost.add(imageOut, rates.imageOutputPerM ?? outputPerM)
  left -= imageOut
  const reasoning = Math.min(left, usage.reasoning)
  cost.add(reasoning, rates.reasoningPerM ?? outputPerM)
  cost.add(left - reasoning, outputPerM)
  return cost.roundedUp()
}
