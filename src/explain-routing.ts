/** Part of the composition root: the router of a configuration, explained. Opens no port, no store and no connection. */
import type { Config, KeyConfig } from './config/config.ts'
import type { Encoder } from './encoder/encoder.ts'
import type { EncoderReporter } from './encoder/encoder-reporter.ts'
import type { Call, Caller } from './gateway/steps.ts'
import { NoEncoder } from './encoder/no-encoder.ts'
import { openIntents } from './open-intents.ts'
import { openScorer } from './open-scorer.ts'
import type { IntentReader } from './routing/intent/intent-reader.ts'
import { openEncoder } from './open-encoder.ts'
import { openGuard } from './open-guard.ts'
import { requires } from './protocol/openai-chat/requires.ts'
import type { ChatRequest } from './protocol/request.ts'
import { RecentAnswers } from './routing/answer-memory.ts'
import { explainRoute } from './routing/explain/explain.ts'
import type { Explanation } from './routing/explain/explanation.ts'
import { createModelResolver } from './routing/resolve-model.ts'
import type { RouterOptions } from './routing/router.ts'

export type { Contribution } from './routing/explain/contributions.ts'
export type { ExplainedScore, Explanation, Finding, Goal } from './routing/explain/explanation.ts'

/**
 * @param withEncoder Ask the encoder where a service with a loaded one would.
 * @param key Whose request it is; undefined = somebody's who may use every model.
 * @returns As `explainRoute`. Rejects with a ConfigError for weights that a service would not start with, and with a SwitchyardError for a model that means nothing to the key.
 */
export async function explainRouting(
  config: Config,
  request: ChatRequest,
  key: KeyConfig | undefined,
  withEncoder: boolean,
): Promise<Explanation> {
  const encoder = withEncoder ? await readyEncoder(config) : undefined
  // Own intents are learned in the background of a service: one that has just started knows the built-in ones and the rules.
  const intents = openIntents(encoder ?? new NoEncoder(), () => {})
  try {
    return await explainedBy(config, request, key, { encoder, intents: intents.readerFor(config) })
  } finally {
    intents.close()
    encoder?.close()
  }
}

/** As a service has it whose model is loaded, but waited for as long as it takes; undefined = no score would ask it. */
async function readyEncoder({ encoder: settings }: Config): Promise<Encoder | undefined> {
  if (settings.enabled === 'off' || settings.routingBand === 0) return undefined
  const encoder = openEncoder(
    { ...settings, deadlineMs: PATIENCE_MS },
    { now: () => performance.now(), reporter: NOBODY, onEvent: () => {} },
  )
  await encoder.load()
  return encoder
}

const NOBODY: EncoderReporter = { asked: () => {}, batch: () => {}, computed: () => {}, restarted: () => {} }
/** An explanation may take its time: a slow machine must not make it another one. */
const PATIENCE_MS = 10_000

function explainedBy(
  config: Config,
  request: ChatRequest,
  key: KeyConfig | undefined,
  { encoder, intents }: { readonly encoder: Encoder | undefined; readonly intents: IntentReader },
): Promise<Explanation> {
  const options: RouterOptions = {
    targets: config.served,
    routes: config.routes,
    aliases: config.aliases,
    scorer: openScorer(config.router, () => {}),
    intents,
    ...(encoder === undefined ? {} : { encoder, encoderBand: config.encoder.routingBand }),
    answers: new RecentAnswers(),
    requires,
    now: () => 0,
    // Only parts equal scores; the same every time.
    random: () => 0.5,
  }
  const names = createModelResolver({ ...options, routes: Object.keys(config.routes) })
  const guard = openGuard(config, (model) => names.routeOf(model))
  const call: Call = {
    id: 'req_explained',
    caller: callerOf(key),
    task: { id: undefined, type: undefined, budgetUsd: undefined, maxToolCalls: undefined, deadlineMs: undefined },
    request,
    signal: new AbortController().signal,
    startedMs: 0,
  }
  return explainRoute(options, call, guard.screen(call))
}

function callerOf(key: KeyConfig | undefined): Caller {
  return {
    tenant: key?.tenant ?? 'default',
    key: key?.name ?? 'anonymous',
    user: undefined,
    spendLimits: {},
    tenantSpendLimits: {},
    canTopUp: false,
    models: key?.models === undefined ? undefined : new Set(key.models),
    unknownFields: 'drop',
    limiter: undefined,
  }
}
