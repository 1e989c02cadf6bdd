import { z } from 'zod'
import { AppError, type ErrorCode, errorTable } from '../contracts/errors.ts'
import type { AuthScheme } from './auth/authenticator.ts'
import { exampleOf } from './docs/examples.ts'
import { groupOf, routeGroups } from './docs/route-groups.ts'
import type { Route } from './http/route.ts'

type Json = Record<string, unknown>

const errorCodes = z.enum(Object.keys(errorTable))
const ErrorSchema = z.object({
  error: z.object({
    code: errorCodes,
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string(),
  }),
})

const ref = (kind: 'headers' | 'responses' | 'schemas', name: string): Json => ({
  $ref: `#/components/${kind}/${name}`,
})
const everyAnswer: Json = { 'X-Request-Id': ref('headers', 'RequestId') }
const limitedAnswer: Json = {
  ...everyAnswer,
  RateLimit: ref('headers', 'RateLimit'),
  'RateLimit-Policy': ref('headers', 'RateLimitPolicy'),
}

/** The HTTP contract as an OpenAPI 3.1 document, made from the routes and their schemas. */
export function openapiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = documentedPath(route)
    paths[path] = { ...paths[path], [route.method]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Cliptape',
      version,
      description:
        'Live trends of short videos. Every error has one form and a code of a closed list. Live updates come over the WebSocket at /ws.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: routeGroups.map(({ title, text }) => ({ name: title, description: text })),
    paths,
    components: {
      securitySchemes: {
        session: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token: from /api/auth/login, or printed by `cliptape token`.',
        },
        keyAsBearer: { type: 'http', scheme: 'bearer', description: 'An API key of /api/keys, with the scopes named.' },
        key: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key in a header of its own.' },
        connector: { type: 'http', scheme: 'bearer', description: "An agent's connector token." },
      },
      headers: headerDocuments,
      responses: errorResponses(routes),
      schemas: { Error: jsonSchema(ErrorSchema, 'output') },
    },
  }
}

/** `/api/keys/{keyId}`. */
export function documentedPath(route: Route): string {
  return route.path.replace(/:(\w+)/g, '{$1}')
}

/**
 * Every code with which an address may refuse: what its verb says, and what stands in front of all of them. A method that
 * an address does not take is no operation, so 405 is not among them.
 */
export function errorCodesOf(route: Route): ErrorCode[] {
  const codes: ErrorCode[] = ['BAD_REQUEST', 'FORBIDDEN', 'RATE_LIMITED', 'INTERNAL', 'UNAVAILABLE', ...route.errors]
  if (route.auth !== 'open') codes.push('AUTH_REQUIRED')
  if (route.params) codes.push('NOT_FOUND')
  if (route.body) codes.push('PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE')
  if (takesIdempotencyKey(route)) codes.push('CONFLICT', 'NOT_READY')
  return [...new Set(codes)].sort()
}

function takesIdempotencyKey(route: Route): boolean {
  return route.auth !== 'open' && !route.isRead
}

function operation(route: Route): Json {
  const parameters = [
    ...parametersOf(route.params, 'path'),
    ...parametersOf(route.query, 'query'),
    ...(takesIdempotencyKey(route) ? [idempotencyKey] : []),
    ...(route.hasEtag ? [ifNoneMatch] : []),
    ...(route.servesRanges ? rangeHeaders : []),
  ]
  return {
    operationId: operationId(route),
    tags: [groupOf(route.path).title],
    summary: route.summary,
    ...(route.description === '' ? {} : { description: route.description }),
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body ? { requestBody: requestBody(route, route.body) } : {}),
    responses: {
      [route.status]: success(route),
      ...(route.servesRanges ? { 206: { ...success(route), description: 'The part that was asked for.' } } : {}),
      ...(route.hasEtag
        ? {
            304: {
              description: 'The answer is the one that you have: it has no body.',
              headers: { ...limitedAnswer, ETag: ref('headers', 'ETag') },
            },
          }
        : {}),
      ...Object.fromEntries(
        errorsByStatus(route).map(([status, codes]) => [status, ref('responses', responseName(route, codes))]),
      ),
    },
  }
}

function operationId({ method, path }: Route): string {
  const name = path.replace(/[^a-zA-Z0-9]+(\w)?/g, (_all, next: string | undefined) => (next ?? '').toUpperCase())
  return `${method}${name || 'Root'}`
}

/** Any one of the entries is enough. A key needs the scope; a session may do all that its user may. */
function securityOf({ auth, scope }: Route): Json[] {
  if (auth === 'open') return []
  const scopes = scope === null ? [] : [scope]
  const byScheme: Readonly<Record<AuthScheme, readonly Json[]>> = {
    jwt: [{ session: [] }],
    apiKey: [{ key: scopes }, { keyAsBearer: scopes }],
    connectorToken: [{ connector: scopes }],
  }
  return auth.flatMap(scheme => byScheme[scheme])
}

function requestBody(route: Route, body: z.ZodType): Json {
  const schema = jsonSchema(body, 'input')
  const type = route.isForm ? 'application/x-www-form-urlencoded' : 'application/json'
  return { required: !route.isBodyOptional, content: { [type]: { schema, example: exampleOf(schema) } } }
}

function success(route: Route): Json {
  const { contentType, schema } = route.answer
  const content = schema === null ? {} : { schema: jsonSchema(schema, 'output') }
  return {
    description: route.answer.contentType === null ? 'Done: there is nothing to say.' : 'The answer.',
    headers: {
      ...limitedAnswer,
      ...(route.hasEtag ? { ETag: ref('headers', 'ETag') } : {}),
      ...(takesIdempotencyKey(route) ? { 'Idempotency-Replayed': ref('headers', 'IdempotencyReplayed') } : {}),
    },
    ...(contentType === null
      ? {}
      : {
          content: {
            [mediaTypeOf(contentType)]: content,
            ...Object.fromEntries(route.otherContentTypes.map(type => [mediaTypeOf(type), {}])),
          },
        }),
  }
}

function mediaTypeOf(contentType: string): string {
  return contentType.split(';', 1)[0] ?? contentType
}

function errorsByStatus(route: Route): [number, ErrorCode[]][] {
  return [...Map.groupBy(errorCodesOf(route), code => errorTable[code].status)].sort(([a], [b]) => a - b)
}

/** Answers of pages may be pages. */
function isPage(route: Route): boolean {
  return route.answer.contentType?.startsWith('text/html') ?? false
}

function responseName(route: Route, codes: readonly ErrorCode[]): string {
  return `${isPage(route) ? 'Page_' : ''}${codes.join('_or_')}`
}

function errorResponses(routes: readonly Route[]): Json {
  const responses: Json = {}
  for (const route of routes) {
    for (const [, codes] of errorsByStatus(route)) responses[responseName(route, codes)] ??= errorResponse(route, codes)
  }
  return Object.fromEntries(Object.entries(responses).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function errorResponse(route: Route, codes: readonly ErrorCode[]): Json {
  const mayComeAgain = codes.some(code => errorTable[code].retryable)
  return {
    description: codes.map(code => `\`${code}\`: ${errorTable[code].message}`).join(' '),
    headers: { ...everyAnswer, ...(mayComeAgain ? { 'Retry-After': ref('headers', 'RetryAfter') } : {}) },
    content: {
      'application/json': { schema: ref('schemas', 'Error'), example: errorExample(codes) },
      ...(isPage(route) ? { 'text/html': {} } : {}),
    },
  }
}

function errorExample(codes: readonly ErrorCode[]): Json {
  const { code, message, details } = new AppError(codes[0] ?? 'INTERNAL')
  return { error: { code, message, details, requestId: '5f0c8a52-6b1f-4a53-9a37-2f1d0a9b7c11' } }
}

const headerDocuments: Json = {
  RequestId: {
    description: 'Names the request in the log of the server; your own, where you sent a plain one.',
    schema: { type: 'string' },
  },
  RateLimit: {
    description: 'What is left of each limit and after how many seconds it is whole again, e.g. `"user";r=59;t=12`.',
    schema: { type: 'string' },
  },
  RateLimitPolicy: {
    description: 'Each limit: so many requests in so many seconds, e.g. `"user";q=60;w=60`.',
    schema: { type: 'string' },
  },
  RetryAfter: { description: 'Seconds after which to ask again.', schema: { type: 'string' } },
  ETag: { description: 'Names what the answer says: send it back as If-None-Match.', schema: { type: 'string' } },
  IdempotencyReplayed: {
    description: '`true` on the answer of an earlier request with the same Idempotency-Key.',
    schema: { type: 'string', const: 'true' },
  },
}

const idempotencyKey: Json = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Anything of your own that is new for each write: the same request with it is done once, for 24 hours.',
  schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  example: '0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57',
}
const ifNoneMatch: Json = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'Entity tags of answers that you have.',
  schema: { type: 'string' },
}

const rangeHeaders: readonly Json[] = [
  {
    name: 'Range',
    in: 'header',
    required: false,
    description: 'One range of bytes, e.g. `bytes=1000-`; several at once are answered with the whole.',
    schema: { type: 'string' },
  },
  {
    name: 'If-Range',
    in: 'header',
    required: false,
    description: 'The entity tag of the part that you have: the whole comes when the file is another by now.',
    schema: { type: 'string' },
  },
]

function parametersOf(schema: z.ZodType | null, where: 'path' | 'query'): Json[] {
  if (!schema) return []
  const object = ObjectSchema.parse(jsonSchema(schema, 'input'))
  return Object.entries(object.properties).map(([name, property]) => {
    const isRequired = where === 'path' || object.required.includes(name)
    return {
      name,
      in: where,
      required: isRequired,
      schema: property,
      ...(isRequired ? { example: exampleOf(property, name) } : {}),
    }
  })
}

const ObjectSchema = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
})

/** The JSON Schema of what goes in (before defaults and transforms) or comes out. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // The format says the same, in one word.
      if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uuid' || jsonSchema.format === 'email') {
        delete jsonSchema.pattern
      }
      const number = io === 'input' ? numberBehind(zodSchema) : null
      if (number === null) return
      for (const key of ['type', 'anyOf', 'pattern'] as const) delete jsonSchema[key]
      const { $schema: _, ...documented } = z.toJSONSchema(number)
      Object.assign(jsonSchema, documented)
      if (zodSchema instanceof z.ZodDefault) jsonSchema.default = z.json().parse(zodSchema.def.defaultValue)
    },
  })
  return rest
}

/** The number that a text of a query stands for: it is documented as that number. */
function numberBehind(schema: z.core.$ZodType): z.ZodNumber | null {
  if (schema instanceof z.ZodDefault) return numberBehind(schema.def.innerType)
  if (schema instanceof z.ZodOptional) return numberBehind(schema.def.innerType)
  return schema instanceof z.ZodPipe && schema.def.out instanceof z.ZodNumber ? schema.def.out : null
}
