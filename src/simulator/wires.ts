import { anthropic } from './anthropic/wire.ts'
import { google } from './google/wire.ts'
import { openAi, vllm } from './openai/wire.ts'
import { tgi } from './tgi/wire.ts'
import type { Flavour, Wire } from './wire.ts'

export const WIRES: Readonly<Record<Flavour, Wire>> = { openai: openAi, vllm, anthropic, google, tgi }
