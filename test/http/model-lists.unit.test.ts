import { expect, test } from 'vitest'
import { modelList } from '../../src/http/model-lists.ts'
import { SwitchyardError } from '../../src/shared/errors.ts'

const MODELS = Array.from({ length: 45 }, (_, at) => ({ id: `m${at}`, ownedBy: 'us' }))
interface Page {
  readonly data: { readonly id: string }[]
  readonly has_more: boolean
  readonly first_id: string | null
  readonly last_id: string | null
}
const list = (query: Record<string, unknown> = {}): Page => modelList(MODELS, 'anthropic-messages', query) as Page
const names = ({ data }: Page): readonly string[] => data.map(({ id }) => id)
const ALL = MODELS.map(({ id }) => id)

test("Anthropic's clients read the whole list forwards page by page", () => {
  const seen: string[] = []
  let page = list()
  expect([page.first_id, page.last_id, page.data.length]).toEqual(['m0', 'm19', 20])
  for (; page.has_more; page = list({ after_id: page.last_id })) seen.push(...names(page))
  expect([...seen, ...names(page)]).toEqual(ALL)
})

test('and backwards, the nearest before a model first', () => {
  const seen: string[] = ['m44']
  let page = list({ before_id: 'm44', limit: '7' })
  for (; page.has_more; page = list({ before_id: page.first_id, limit: '7' })) seen.unshift(...names(page))
  expect([...names(page), ...seen]).toEqual(ALL)
  expect(list({ before_id: 'm0' })).toEqual({ data: [], has_more: false, first_id: null, last_id: null })
})

test.each([
  [{ limit: '0' }, 'limit'],
  [{ limit: '1001' }, 'limit'],
  [{ limit: ['1', '2'] }, 'limit'],
  [{ after_id: 'nobody' }, 'after_id'],
  [{ before_id: '' }, 'before_id'],
  [{ after_id: 'm1', before_id: 'm3' }, 'before_id'],
])('%j is refused', (query, param) => {
  let thrown: unknown
  try {
    list(query)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(SwitchyardError)
  expect(thrown).toMatchObject({ code: 'invalid_value', param })
})

test("OpenAI's list has no pages", () => {
  expect((modelList(MODELS, 'openai-chat', { limit: '1' }) as Page).data).toHaveLength(45)
})
