import { CALL_TOKENS, type SimRequest } from '../compose.ts'
import { imageSize } from '../image-size.ts'
import { countTokens } from '../tokens.ts'
import type { Content, GenerateBody, Part } from './body.ts'

/** Most tokens of thinking by `thinkingLevel`; the dynamic budget (-1, or none given to a model that thinks) is as `high`. */
const LEVELS: Readonly<Record<string, number>> = { minimal: 4, low: 12, medium: 24, high: 48 }

/** A checked body in the words of the simulator. */
export function readGenerate(model: string, body: GenerateBody): SimRequest {
  const { generationConfig: config = {}, toolConfig } = body
  const calling = toolConfig?.functionCallingConfig
  const allowed = calling?.allowedFunctionNames
  const tools = (body.tools ?? [])
    .flatMap((tool) => tool.functionDeclarations ?? [])
    .filter((each) => allowed === undefined || allowed.includes(each.name))
    .map((each) => ({
      type: 'function',
      function: {
        name: each.name,
        description: each.description ?? '',
        parameters: each.parametersJsonSchema ?? plainSchema(each.parameters),
      },
    }))
  const schema = config.responseJsonSchema ?? plainSchema(config.responseSchema)
  return {
    model,
    messages: [
      ...(body.systemInstruction === undefined ? [] : [{ role: 'system', content: textOf(body.systemInstruction) }]),
      ...(body.contents ?? []).map(messageOf),
    ],
    ...(tools.length === 0 ? {} : { tools }),
    tool_choice: calling?.mode === 'ANY' ? 'required' : calling?.mode === 'NONE' ? 'none' : 'auto',
    ...(config.responseMimeType === 'application/json'
      ? {
          response_format:
            schema === undefined ? { type: 'json_object' } : { type: 'json_schema', json_schema: { schema } },
        }
      : {}),
    ...(config.maxOutputTokens === undefined ? {} : { max_tokens: config.maxOutputTokens }),
    ...(config.stopSequences === undefined ? {} : { stop: config.stopSequences }),
    ...(config.seed === undefined ? {} : { seed: config.seed }),
    ...(config.temperature === undefined ? {} : { temperature: config.temperature }),
    n: config.candidateCount ?? 1,
    thinkingTokens: thinkingOf(model, config.thinkingConfig),
  }
}

function messageOf(content: Content): SimRequest['messages'][number] {
  const isResult = content.parts?.some((part) => part.functionResponse !== undefined) === true
  return { role: isResult ? 'tool' : content.role === 'model' ? 'assistant' : 'user', content: textOf(content) }
}

function textOf({ parts }: Content): string {
  return (parts ?? []).map((part) => part.text ?? '').join('\n')
}

function thinkingOf(model: string, config: NonNullable<GenerateBody['generationConfig']>['thinkingConfig']): number {
  const dynamic = LEVELS['high'] as number
  if (config?.thinkingLevel !== undefined) return LEVELS[config.thinkingLevel.toLowerCase()] ?? dynamic
  const budget = config?.thinkingBudget ?? (/gemini-(2\.5|3)/.test(model) ? -1 : 0)
  return budget < 0 ? dynamic : budget
}

/** Google's `Schema` writes its types in capitals. */
function plainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(plainSchema)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      name === 'type' && typeof value === 'string' ? value.toLowerCase() : plainSchema(value),
    ]),
  )
}

/** Tokens of a prompt by kind. */
export interface PromptCount {
  readonly text: number
  readonly image: number
}

export function countPrompt(body: GenerateBody): PromptCount {
  const contents = [...(body.systemInstruction === undefined ? [] : [body.systemInstruction]), ...(body.contents ?? [])]
  const parts = contents.flatMap((content) => content.parts ?? [])
  const tools = body.tools === undefined ? 0 : countTokens(JSON.stringify(body.tools))
  const image = parts.reduce((sum, part) => sum + pictureTokens(part), 0)
  return { text: contents.length + tools + parts.reduce((sum, part) => sum + textTokens(part), 0), image }
}

function textTokens({ text, functionCall, functionResponse }: Part): number {
  return (
    countTokens(text ?? '') +
    (functionCall === undefined ? 0 : CALL_TOKENS + countTokens(JSON.stringify(functionCall.args ?? {}))) +
    (functionResponse === undefined ? 0 : countTokens(JSON.stringify(functionResponse.response ?? {})))
  )
}

const TILE_TOKENS = 258
const LONG_EDGE = 3072

/**
 * Gemini API docs "Image understanding": up to 384 pixels a side one tile, else as many as squares of two thirds of the shorter side
 * (256 to 768 pixels) are needed to cover it, of a picture that is at most 3,072 pixels long.
 */
function pictureTokens({ inlineData, fileData, functionResponse }: Part): number {
  const inside = functionResponse?.parts?.reduce((sum, part) => sum + pictureTokens(part), 0) ?? 0
  const source = inlineData?.mimeType?.startsWith('image/') === true ? inlineData.data : fileData?.fileUri
  if (source === undefined) return inside
  const size = imageSize(source)
  if (size.width <= 384 && size.height <= 384) return inside + TILE_TOKENS
  const scale = Math.min(1, LONG_EDGE / Math.max(size.width, size.height))
  const [width, height] = [size.width * scale, size.height * scale]
  const unit = Math.min(768, Math.max(256, Math.floor(Math.min(width, height) / 1.5)))
  return inside + TILE_TOKENS * Math.ceil(width / unit) * Math.ceil(height / unit)
}
