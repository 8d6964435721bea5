/** Translates a LiteLLM proxy configuration (docs.litellm.ai, "config.yaml", 2026) into ours; what has no counterpart is listed. */
import { LineCounter, parseDocument, stringify } from 'yaml'
import { providerAt, scheduleOf } from '../budget/prices/price-book.ts'
import { priceAt } from '../budget/prices/price-schedule.ts'
import { litellmPrice } from './litellm-price.ts'
import { limitsOf } from './litellm-limits.ts'
import { addressOf, KNOWN_PARAMS, PROVIDERS } from './litellm-providers.ts'
import { Lines } from './problems.ts'

export interface Translation {
  readonly yaml: string
  /** One sentence for each thing that was left out, with its line and the reason, in the order of the file. */
  readonly notes: readonly string[]
}

/** Kinds that run on the operator's own machines. */
const ENGINES: readonly string[] = ['vllm', 'tgi']
const OWN_ADDRESSES = {
  openai: 'https://api.openai.com/v1',
  anthropic: 'https://api.anthropic.com',
  google: 'https://generativelanguage.googleapis.com',
} as const

type Fields = Readonly<Record<string, unknown>>

type Path = readonly (string | number)[]
interface Note {
  readonly line: number | undefined
  readonly text: string
}
/** Hosted models need a price, so the translation says which have none. */
export interface PriceContext {
  /** The day whose prices count. */
  readonly now: Date
}

/** Throws Error where the text is not YAML or no mapping. */
export function translateLiteLlm(text: string, context: PriceContext): Translation {
  const counter = new LineCounter()
  const document = parseDocument(text, { lineCounter: counter, merge: true })
  const [error] = document.errors
  if (error !== undefined) throw error
  const source: unknown = document.toJS()
  if (!isFields(source)) throw new Error('it holds no settings.')
  return new Translator(source, new Lines(document, counter), context).run()
}

class Translator {
  readonly #source: Fields
  readonly #lines: Lines
  readonly #context: PriceContext
  readonly #notes: Note[] = []
  readonly #upstreams: Record<string, Record<string, unknown>> = {}
  readonly #models: Record<string, Record<string, unknown>> = {}
  readonly #aliases: Record<string, string> = {}
  readonly #byGroup = new Map<string, string[]>()

  constructor(source: Fields, lines: Lines, context: PriceContext) {
    this.#source = source
    this.#lines = lines
    this.#context = context
  }

  run(): Translation {
    const list = Array.isArray(this.#source['model_list']) ? this.#source['model_list'].map(asFields) : []
    const settings = { ...asFields(this.#source['litellm_settings']), ...asFields(this.#source['router_settings']) }
    for (const [index, entry] of list.entries()) this.#deployment(entry, ['model_list', index], settings)
    this.#fallbacks(settings)
    this.#rest(settings)
    const file: Record<string, unknown> = { upstreams: this.#upstreams, models: this.#models }
    const route = this.#route()
    if (route !== undefined) file['routes'] = { auto: route }
    if (Object.keys(this.#aliases).length > 0) file['aliases'] = this.#aliases
    this.#general(file)
    this.#missingPrices()
    const notes = this.#notes
      .toSorted((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity))
      .map(({ line, text }) => (line === undefined ? text : `line ${line}: ${text}`))
    const comments = notes.length === 0 ? '' : `\n# Not translated:\n${notes.map((note) => `#   ${note}`).join('\n')}\n`
    return {
      yaml: `# Translated from a LiteLLM configuration. "switchyard check" shows what it means.\n${stringify(file, { lineWidth: 0 })}${comments}`,
      notes,
    }
  }

  #deployment(entry: Fields, at: Path, settings: Fields): void {
    const group = String(entry['model_name'] ?? '')
    const params = asFields(entry['litellm_params'])
    const full = String(params['model'] ?? '')
    if (group === '' || full === '') return this.#note(at, 'it has no model_name or litellm_params.model')
    if (group.includes('*') || full.includes('*'))
      return this.#note(at, 'wildcard models have no counterpart; list the models, or call them as "upstream/model"')
    const slash = full.indexOf('/')
    const prefix = slash < 0 ? 'openai' : full.slice(0, slash)
    const model = slash < 0 ? full : full.slice(slash + 1)
    const provider = PROVIDERS[prefix]
    if (provider === undefined) return this.#note(at, `provider ${prefix} is not supported yet (${group})`)
    const base = addressOf(prefix, String(params['api_base'] ?? params['base_url'] ?? provider.baseUrl ?? ''))
    if (base.startsWith('os.environ/'))
      return this.#note(at, `an address in a variable has no counterpart; write it out (${group})`)
    if (prefix === 'azure' && base === '') return this.#note(at, `an Azure deployment without api_base (${group})`)
    const name = this.#upstream(group, prefix, provider.kind, base, params, settings, at)
    if (name === undefined) return
    const known = this.#byGroup.get(group) ?? []
    const modelName = group.replaceAll(/[/:]/g, '-') + (known.length === 0 ? '' : `-${known.length + 1}`)
    if (known.length === 0 && modelName !== group) this.#aliases[group] = modelName
    const existing = known
      .map((each) => this.#models[each])
      .find((each) => each?.['upstream'] === name && each['model'] === model)
    // The same model at another address of one upstream became a replica there.
    if (existing === undefined) {
      this.#models[modelName] = { upstream: name, model, ...litellmPrice(params) }
      this.#byGroup.set(group, [...known, modelName])
      const first = known[0]
      if (first !== undefined)
        (this.#models[first] as Record<string, unknown>)['fallbacks'] = [...known.slice(1), modelName]
    }
    for (const key of Object.keys(entry))
      if (key !== 'model_name' && key !== 'litellm_params') this.#note([...at, key], 'no counterpart')
    for (const key of Object.keys(params))
      if (!KNOWN_PARAMS.has(key)) this.#note([...at, 'litellm_params', key], 'no counterpart')
    if (params['weight'] !== undefined || params['order'] !== undefined)
      this.#note(
        at,
        'weight and order have no counterpart; replicas share load by tokens under way, models are tried in their order',
      )
    if (isFields(params['extra_headers']) || isFields(params['extra_body']))
      this.#note(at, 'extra_headers and extra_body: write them as upstreams.NAME.headers and models.NAME.extraBody')
  }

  /** Name of the upstream of a deployment; deployments of one group and kind with the same key share one, as replicas. */
  #upstream(
    group: string,
    prefix: string,
    kind: 'openai' | 'vllm' | 'anthropic' | 'google' | 'tgi',
    base: string,
    params: Fields,
    settings: Fields,
    at: Path,
  ): string | undefined {
    const apiKey = this.#secret(params['api_key'], [...at, 'litellm_params', 'api_key'])
    const isEngine = kind === 'vllm' || kind === 'tgi'
    const url = kind === 'openai' ? base.replace(/\/+$/, '') : base.replace(/\/v1(?:beta)?\/?$/, '').replace(/\/+$/, '')
    if (isEngine && url === '') {
      this.#note(at, `a ${kind === 'vllm' ? 'vLLM' : 'TGI'} deployment without api_base (${group})`)
      return undefined
    }
    const key = apiKey === undefined ? {} : { apiKey }
    for (const [name, known] of Object.entries(this.#upstreams)) {
      if (known['kind'] !== kind || known['apiKey'] !== apiKey) continue
      const replicas = known['replicas'] as string[] | undefined
      if (
        (replicas?.includes(url) ?? false) ||
        known['baseUrl'] === url ||
        (url === '' && known['baseUrl'] === undefined && !isEngine)
      )
        return name
      if (
        isEngine &&
        replicas !== undefined &&
        this.#byGroup.get(group)?.some((each) => this.#models[each]?.['upstream'] === name) === true
      ) {
        replicas.push(url)
        return name
      }
    }
    let name = prefix.replaceAll('_', '-')
    for (let i = 2; this.#upstreams[name] !== undefined; i++) name = `${prefix.replaceAll('_', '-')}-${i}`
    this.#upstreams[name] = {
      kind,
      ...(isEngine
        ? { replicas: [url] }
        : url === ''
          ? {}
          : { baseUrl: kind === 'google' || kind === 'anthropic' || url.endsWith('/v1') ? url : `${url}/v1` }),
      ...key,
      ...limitsOf(params, settings),
    }
    return name
  }

  /** `os.environ/NAME` to `env:NAME`; a key in clear text is not copied. */
  #secret(value: unknown, at: Path): string | undefined {
    if (value === undefined || value === null || /^(?:none|empty|fake|dummy|anything)/i.test(String(value)))
      return undefined
    const name = /^os\.environ\/(\w+)$/.exec(String(value))?.[1]
    if (name !== undefined) return `env:${name}`
    this.#note(at, 'a key in clear text was not copied; put it into a variable and write env:NAME')
    return undefined
  }

  #fallbacks(settings: Fields): void {
    for (const key of ['fallbacks', 'context_window_fallbacks', 'content_policy_fallbacks'] as const) {
      const list = settings[key]
      if (!Array.isArray(list)) continue
      for (const entry of list.map(asFields)) {
        for (const [group, targets] of Object.entries(entry)) {
          const own = this.#byGroup.get(group)?.[0]
          const names = (Array.isArray(targets) ? targets.map(String) : []).flatMap(
            (target) => this.#byGroup.get(target) ?? [],
          )
          const model = own === undefined ? undefined : this.#models[own]
          if (model === undefined || names.length === 0)
            this.#note(this.#pathOf(key), `${group} -> ${String(targets)}: one of them was not translated`)
          else model['fallbacks'] = [...new Set([...((model['fallbacks'] as string[] | undefined) ?? []), ...names])]
        }
      }
      if (key !== 'fallbacks')
        this.#note(
          this.#pathOf(key),
          'joined with the general fallbacks, which here cover every cause before the first content',
        )
    }
  }

  /** The cheaper half as small, the rest as big, for `model: auto`; a start to be looked at. */
  #route(): Readonly<Record<string, unknown>> | undefined {
    const firsts = [...this.#byGroup.values()].map((names) => names[0] as string)
    if (firsts.length === 0) return undefined
    const isLocal = (name: string): boolean =>
      ENGINES.includes(String(this.#upstreams[String(this.#models[name]?.['upstream'])]?.['kind']))
    const small = firsts.filter(isLocal)
    const big = firsts.filter((name) => !isLocal(name))
    this.#note(
      [],
      'routes.auto is a first guess (models of engines small, others big): LiteLLM has no counterpart to it',
    )
    return {
      small: small.length > 0 ? small : firsts.slice(0, 1),
      big: big.length > 0 ? big : firsts.slice(-1),
      targetBigShare: 0.3,
    }
  }

  #general(file: Record<string, unknown>): void {
    const general = asFields(this.#source['general_settings'])
    const master = this.#secret(general['master_key'], ['general_settings', 'master_key'])
    if (master !== undefined) {
      file['server'] = { adminKey: master }
      file['keys'] = [{ name: 'master', key: master, tenant: 'default' }]
    }
    for (const key of Object.keys(general))
      if (key !== 'master_key') this.#note(['general_settings', key], 'no counterpart')
  }

  #rest(settings: Fields): void {
    const used = new Set([
      'fallbacks',
      'context_window_fallbacks',
      'content_policy_fallbacks',
      'num_retries',
      'request_timeout',
      'timeout',
      'allowed_fails',
      'cooldown_time',
    ])
    for (const key of Object.keys(settings)) {
      if (key === 'drop_params') continue
      if (key === 'model_group_alias') {
        for (const [alias, meant] of Object.entries(asFields(settings[key]))) {
          const target = this.#byGroup.get(String(meant))?.[0]
          if (target === undefined) this.#note(this.#pathOf(key), `${alias} -> ${String(meant)}: not translated`)
          else this.#aliases[alias] = target
        }
      } else if (!used.has(key)) this.#note(this.#pathOf(key), 'no counterpart')
    }
    for (const key of Object.keys(this.#source)) {
      if (!['model_list', 'litellm_settings', 'router_settings', 'general_settings'].includes(key))
        this.#note([key], 'no counterpart')
    }
  }

  /** Hosted models that would stop the start. */
  #missingPrices(): void {
    for (const [name, model] of Object.entries(this.#models)) {
      const upstream = this.#upstreams[String(model['upstream'])]
      const kind = upstream?.['kind']
      const isPriced = kind === 'openai' || kind === 'anthropic' || kind === 'google'
      if (upstream === undefined || !isPriced || model['price'] !== undefined) continue
      const url = String(upstream['baseUrl'] ?? OWN_ADDRESSES[kind])
      const provider = providerAt(url)
      const isKnown =
        provider !== undefined &&
        priceAt(scheduleOf(provider, String(model['model'])), this.#context.now.getTime()) !== undefined
      if (!isKnown && !/^https?:\/\/(?:localhost|[\d.]+|\[[^\]]*\]|[^./]+)(?:[:/]|$)/.test(url))
        this.#note([], `models.${name}: the price book does not know ${String(model['model'])}; add price to it`)
    }
  }

  /** Settings may stand in either section; the router's wins. */
  #pathOf(key: string): Path {
    return [key in asFields(this.#source['router_settings']) ? 'router_settings' : 'litellm_settings', key]
  }

  #note(at: Path, text: string): void {
    const place = at.map((each) => (typeof each === 'number' ? `[${each}]` : `.${each}`)).join('')
    this.#notes.push({
      line: at.length === 0 ? undefined : this.#lines.at(at),
      text: place === '' ? text : `${place.replace(/^\./, '')}: ${text}`,
    })
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function asFields(value: unknown): Fields {
  return isFields(value) ? value : {}
}
