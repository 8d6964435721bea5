import { Counter, Histogram, Registry } from 'prom-client'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toNanoUsd } from '../../src/shared/money.ts'
import { CounterFamily, HistogramFamily } from '../../src/telemetry/families.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'
import { finishedRequest } from '../support/finished-request.ts'

const pageOf = async (metrics: Metrics): Promise<readonly string[]> =>
  (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('switchyard_'))

test('a family is shown exactly as prom-client shows its own', async () => {
  const bounds = [0.01, 0.1, 1]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b "quoted"\n'), fc.double({ min: 0, max: 2, noNaN: true }))),
      async (events) => {
        const [theirs, ours] = [new Registry(), new Registry()]
        const counter = new Counter({ name: 'c', help: 'h', labelNames: ['l'], registers: [theirs] })
        const histogram = new Histogram({
          name: 'd',
          help: 'h',
          labelNames: ['l'],
          buckets: bounds,
          registers: [theirs],
        })
        const counters = new CounterFamily('c', 'h', ours)
        const histograms = new HistogramFamily('d', 'h', bounds, ours)
        for (const [l, value] of events) {
          counter.inc({ l }, value)
          histogram.observe({ l }, value)
          counters.labels({ l }).inc(value)
          histograms.labels({ l }).observe(value)
        }
        const lines = (page: string): readonly string[] => page.split('\n').map(withSortedLabels).sort()
        expect(lines(await ours.metrics())).toEqual(lines(await theirs.metrics()))
      },
    ),
  )
})

test('a request counts once in every series that it belongs to', async () => {
  const metrics = new Metrics(() => [{ upstream: 'gpu', replica: '0', isUp: true, inflight: 2 }])
  metrics.finished(finishedRequest())
  metrics.finished(finishedRequest())
  metrics.finished(finishedRequest({ result: 'refused', errorCode: 'invalid_api_key', status: 401, tier: undefined }))
  const page = await pageOf(metrics)
  expect(page).toContain('switchyard_requests_total{route="local",result="ok",code="",stream="false"} 2')
  expect(page).toContain(
    'switchyard_requests_total{route="none",result="refused",code="invalid_api_key",stream="false"} 1',
  )
  expect(page).toContain('switchyard_tokens_total{type="input",tier="local"} 20')
  expect(page).toContain('switchyard_tokens_total{type="cached_input",tier="local"} 8')
  expect(page).toContain('switchyard_tokens_total{type="reasoning",tier="local"} 10')
  expect(page).toContain('switchyard_request_duration_seconds_count{tier="local",stream="false"} 2')
  expect(page).toContain('switchyard_route_decisions_total{tier="local",reason="share",intent="other"} 2')
  expect(page).toContain('switchyard_upstream_up{upstream="gpu",replica="0"} 1')
  expect(page).toContain('switchyard_upstream_inflight{upstream="gpu",replica="0"} 2')
})

test('dollars are the sum of what attempts cost', async () => {
  const metrics = new Metrics(() => [])
  for (const cost of [1, 2_500_000_000, 499_999_999]) metrics.finished(finishedRequest({ cost: toNanoUsd(cost) }))
  const line = (await pageOf(metrics)).find((each) => each.startsWith('switchyard_spend_usd_total'))
  expect(Number(line?.split(' ')[1])).toBeCloseTo(3, 9)
})

/** Label order is no part of the format. */
function withSortedLabels(line: string): string {
  const [, name, labels, value] = /^(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
  if (labels === undefined) return line
  return `${name}{${(labels.match(/\w+="(?:\\.|[^"\\])*"/g) ?? []).sort().join(',')}} ${value}`
}
