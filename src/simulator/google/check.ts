/** What the Gemini API refuses, in its own words as its users report them. */
import { isSignature } from '../signature.ts'
import { Refusal } from '../wire.ts'
import type { Content, GenerateBody, Part } from './body.ts'

const FIELDS: ReadonlySet<string> = new Set([
  'model',
  'contents',
  'tools',
  'toolConfig',
  'safetySettings',
  'systemInstruction',
  'generationConfig',
  'cachedContent',
  'serviceTier',
  'store',
])
const CONFIG: ReadonlySet<string> = new Set([
  'candidateCount',
  'enableEnhancedCivicAnswers',
  'frequencyPenalty',
  'imageConfig',
  'logprobs',
  'maxOutputTokens',
  'mediaResolution',
  'presencePenalty',
  'responseJsonSchema',
  'responseLogprobs',
  'responseMimeType',
  'responseModalities',
  'responseSchema',
  'seed',
  'speechConfig',
  'stopSequences',
  'temperature',
  'thinkingConfig',
  'topK',
  'topP',
])
/** Of the OpenAPI subset `Schema`; JSON Schema proper goes into `parametersJsonSchema` and `responseJsonSchema`. */
const SCHEMA: ReadonlySet<string> = new Set([
  'anyOf',
  'default',
  'description',
  'enum',
  'example',
  'format',
  'items',
  'maxItems',
  'maxLength',
  'maxProperties',
  'maximum',
  'minItems',
  'minLength',
  'minProperties',
  'minimum',
  'nullable',
  'pattern',
  'properties',
  'propertyOrdering',
  'required',
  'title',
  'type',
])
/** Signatures that the documentation allows for calls that another model made ("Thought signatures", FAQ). */
const SKIPS: ReadonlySet<unknown> = new Set([
  'skip_thought_signature_validator',
  'context_engineering_is_the_way_to_go',
])

/** Throws Refusal. */
export function checkBody(model: string, body: GenerateBody): void {
  checkNames(body, FIELDS, '')
  checkNames(body.generationConfig ?? {}, CONFIG, 'generation_config')
  if (body.generationConfig?.responseSchema !== undefined)
    checkSchema(body.generationConfig.responseSchema, 'generation_config.response_schema')
  for (const [i, tool] of (body.tools ?? []).entries()) {
    for (const [j, each] of (tool.functionDeclarations ?? []).entries()) {
      const path = `tools[${i}].function_declarations[${j}]`
      if (!/^[A-Za-z_][\w.:-]{0,63}$/.test(each.name)) {
        bad(
          `* GenerateContentRequest.${path}.name: Invalid function name. Must start with a letter or an underscore. Must be alphameric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 64.\n`,
        )
      }
      if (each.parameters !== undefined) checkSchema(each.parameters, `${path}.parameters`)
    }
  }
  if (body.contents === undefined || body.contents.length === 0)
    bad('* GenerateContentRequest.contents: contents is not specified\n')
  const temperature = body.generationConfig?.temperature
  if (temperature !== undefined && (temperature < 0 || temperature > 2))
    bad('* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n')
  for (const [at, content] of body.contents.entries()) checkContent(content, at)
  checkCalls(body.contents)
  checkSignatures(model, body.contents)
}

function checkNames(value: object, known: ReadonlySet<string>, path: string): void {
  const place = path === '' ? '' : ` at '${path}'`
  for (const name of Object.keys(value))
    if (!known.has(name)) bad(`Invalid JSON payload received. Unknown name "${name}"${place}: Cannot find field.`)
}

function checkSchema(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return
  const schema = value as {
    readonly properties?: Readonly<Record<string, unknown>>
    readonly items?: unknown
    readonly anyOf?: readonly unknown[]
  }
  checkNames(schema, SCHEMA, path)
  for (const each of Object.values(schema.properties ?? {})) checkSchema(each, `${path}.properties[0].value`)
  checkSchema(schema.items, `${path}.items`)
  for (const [at, each] of (schema.anyOf ?? []).entries()) checkSchema(each, `${path}.any_of[${at}]`)
}

function checkContent({ role, parts }: Content, at: number): void {
  if (role !== undefined && role !== 'user' && role !== 'model') bad('Please use a valid role: user, model.')
  if (parts === undefined || parts.length === 0)
    bad(`* GenerateContentRequest.contents[${at}].parts: contents.parts must not be empty.\n`)
  for (const part of parts) {
    const data = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'].filter((name) => name in part)
    if (data.length === 0 && part.thoughtSignature === undefined)
      bad(
        `* GenerateContentRequest.contents[${at}].parts[0].data: required oneof field 'data' must have one initialized field\n`,
      )
  }
}

function checkCalls(contents: readonly Content[]): void {
  for (const [at, content] of contents.entries()) {
    const calls = callsOf(content).length
    const answers = contents[at + 1]?.parts?.filter((part) => part.functionResponse !== undefined).length ?? 0
    if (calls > 0 && at === 0)
      bad(
        'Please ensure that function call turn comes immediately after a user turn or after a function response turn.',
      )
    if (calls > 0 && at < contents.length - 1 && answers !== calls)
      bad(
        'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.',
      )
    const answered = content.parts?.some((part) => part.functionResponse !== undefined) === true
    if (answered && (at === 0 || callsOf(contents[at - 1] as Content).length === 0))
      bad('Please ensure that function response turn comes immediately after a function call turn.')
  }
}

/** All signatures must be Google's; Gemini 3 also wants one at the first call of each step of the present turn. */
function checkSignatures(model: string, contents: readonly Content[]): void {
  for (const { parts } of contents) {
    for (const { thoughtSignature: signature } of parts ?? [])
      if (signature !== undefined && !SKIPS.has(signature) && !isSignature('google', signature))
        bad('Corrupted thought signature.')
  }
  if (!/gemini-3/.test(model)) return
  const turn = contents.findLastIndex(
    ({ role, parts }) => role !== 'model' && parts?.some((part) => part.functionResponse === undefined) === true,
  )
  for (const [at, content] of contents.entries()) {
    const first = callsOf(content)[0]
    if (at > turn && first !== undefined && first.thoughtSignature === undefined) {
      bad(
        `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call \`default_api:${first.functionCall?.name}\` , position ${at + 1}.`,
      )
    }
  }
}

function callsOf({ parts }: Content): readonly Part[] {
  return (parts ?? []).filter((part) => part.functionCall !== undefined)
}

function bad(message: string): never {
  throw new Refusal(400, message)
}
