/** The parts of a generateContent request that the simulator reads (Gemini API reference, v1beta). */
export interface Part {
  readonly text?: string
  readonly thought?: boolean
  readonly thoughtSignature?: string
  readonly inlineData?: { readonly mimeType?: string; readonly data?: string }
  readonly fileData?: { readonly mimeType?: string; readonly fileUri?: string }
  readonly functionCall?: { readonly id?: string; readonly name: string; readonly args?: unknown }
  readonly functionResponse?: {
    readonly id?: string
    readonly name: string
    readonly response?: unknown
    readonly parts?: readonly Part[]
  }
}

export interface Content {
  readonly role?: string
  readonly parts?: readonly Part[]
}

export interface FunctionDeclaration {
  readonly name: string
  readonly description?: string
  readonly parameters?: unknown
  readonly parametersJsonSchema?: unknown
}

export interface GenerateBody {
  readonly contents?: readonly Content[]
  readonly systemInstruction?: Content
  readonly tools?: readonly { readonly functionDeclarations?: readonly FunctionDeclaration[] }[]
  readonly toolConfig?: {
    readonly functionCallingConfig?: { readonly mode?: string; readonly allowedFunctionNames?: readonly string[] }
  }
  readonly generationConfig?: {
    readonly candidateCount?: number
    readonly maxOutputTokens?: number
    readonly responseJsonSchema?: unknown
    readonly responseLogprobs?: boolean
    readonly logprobs?: number
    readonly responseMimeType?: string
    readonly responseSchema?: unknown
    readonly seed?: number
    readonly stopSequences?: readonly string[]
    readonly temperature?: number
    readonly thinkingConfig?: {
      readonly includeThoughts?: boolean
      readonly thinkingBudget?: number
      readonly thinkingLevel?: string
    }
  }
}
