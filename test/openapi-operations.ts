import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { z } from 'zod'

/** What a test asks of an operation of an OpenAPI document. */
export interface Operation {
  readonly method: string
  /** `/api/keys/{keyId}`. */
  readonly path: string
  readonly operationId: string
  /** No credential is needed. */
  readonly isOpen: boolean
  /** A session is good for it; else a key. */
  readonly takesSession: boolean
  readonly parameters: readonly Parameter[]
  readonly body: {
    readonly type: string
    readonly schema: unknown
    readonly example: unknown
    readonly isRequired: boolean
  } | null
  /** By status. */
  readonly responses: ReadonlyMap<number, DocumentedResponse>
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: unknown
  readonly example?: unknown
}

interface DocumentedResponse {
  readonly headers: readonly string[]
  /** By media type; null where any body of the type will do. Empty: there is no body. */
  readonly content: ReadonlyMap<string, ValidateFunction | null>
}

const ParameterSchema = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean(),
  schema: z.unknown(),
  example: z.unknown().optional(),
})
const MediaSchema = z.object({ schema: z.unknown().optional(), example: z.unknown().optional() })
const RefSchema = z.object({ $ref: z.string() })
const ResponseSchema = z.object({
  description: z.string().min(1),
  headers: z.record(z.string(), z.unknown()).default({}),
  content: z.record(z.string(), MediaSchema).default({}),
})
const OperationSchema = z.object({
  operationId: z.string(),
  summary: z.string().min(1),
  tags: z.array(z.string()).length(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(ParameterSchema).default([]),
  requestBody: z.object({ required: z.boolean(), content: z.record(z.string(), MediaSchema) }).optional(),
  responses: z.record(z.string(), z.union([RefSchema, ResponseSchema])),
})
export const DocumentSchema = z.object({
  openapi: z.literal('3.1.0'),
  info: z.object({ title: z.string(), version: z.string() }),
  tags: z.array(z.object({ name: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), OperationSchema)),
  components: z.object({
    securitySchemes: z.record(z.string(), z.unknown()),
    headers: z.record(z.string(), z.unknown()),
    responses: z.record(z.string(), ResponseSchema),
    schemas: z.record(z.string(), z.unknown()),
  }),
})

/** A validator of JSON Schema 2020-12 that knows the document's components. */
export function validatorOf(document: unknown): (schema: unknown) => ValidateFunction {
  const { components } = DocumentSchema.parse(document)
  const ajv = new Ajv2020.default({ strict: true, strictTypes: false, allErrors: false, validateFormats: true })
  addFormats.default(ajv)
  for (const [name, schema] of Object.entries(components.schemas)) {
    ajv.addSchema(z.looseObject({}).parse(schema), `#/components/schemas/${name}`)
  }
  return schema => ajv.compile(z.looseObject({}).parse(schema))
}

/** Every operation of a document, with validators of what it may answer. */
export function operationsOf(document: unknown): Operation[] {
  const { paths, components } = DocumentSchema.parse(document)
  const compile = validatorOf(document)
  const responseOf = (response: z.infer<typeof RefSchema> | z.infer<typeof ResponseSchema>): DocumentedResponse => {
    const found =
      '$ref' in response ? components.responses[response.$ref.replace('#/components/responses/', '')] : response
    if (!found) throw new Error(`${JSON.stringify(response)} leads nowhere.`)
    return {
      headers: Object.keys(found.headers),
      content: new Map(
        Object.entries(found.content).map(([type, { schema }]) => [
          type,
          schema === undefined ? null : compile(schema),
        ]),
      ),
    }
  }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
      return {
        method: method.toUpperCase(),
        path,
        operationId: operation.operationId,
        isOpen: operation.security.length === 0,
        takesSession: operation.security.some(one => 'session' in one),
        parameters: operation.parameters,
        body:
          type === undefined || media === undefined
            ? null
            : {
                type,
                schema: media.schema,
                example: media.example,
                isRequired: operation.requestBody?.required ?? false,
              },
        responses: new Map(
          Object.entries(operation.responses).map(([status, response]) => [Number(status), responseOf(response)]),
        ),
      }
    }),
  )
}

/** What is wrong with an answer, by the document; null when it is as documented. */
export function offenceOf(
  operation: Operation,
  answer: { readonly status: number; readonly headers: Headers; readonly text: string },
): string | null {
  const documented = operation.responses.get(answer.status)
  if (!documented) return `the status ${answer.status} is not documented: ${answer.text.slice(0, 300)}`
  if (!answer.headers.get('x-request-id')) return 'X-Request-Id is missing'
  for (const name of answer.headers.keys()) {
    if (
      name.startsWith('ratelimit') &&
      answer.status < 400 &&
      !documented.headers.some(one => one.toLowerCase() === name)
    ) {
      return `the header ${name} is not documented`
    }
  }
  if (documented.content.size === 0) return answer.text === '' ? null : 'there is a body where none is documented'
  const type = (answer.headers.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? ''
  const validate = documented.content.get(type)
  if (validate === undefined) return `the type ${type} is not documented`
  if (validate === null) return null
  if (validate(JSON.parse(answer.text))) return null
  return `${JSON.stringify(validate.errors?.[0])} in ${answer.text.slice(0, 500)}`
}
