import { z } from 'zod'
import { ControlFailureSchema } from '../contracts/control.ts'
import type { Route } from './http/route.ts'

type Json = Record<string, unknown>

/** The HTTP contract as an OpenAPI 3.1 document, made from the routes and their schemas. */
export function openapiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method]: operation(route) }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Cliptape', version, description: 'Live trends of short videos. Live updates come over /ws.' },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: jsonSchema(ControlFailureSchema, 'output') },
    },
  }
}

function operation(route: Route): Json {
  const parameters = [...parametersOf(route.params, 'path'), ...parametersOf(route.query, 'query')]
  const success = route.answer.schema ? { schema: jsonSchema(route.answer.schema, 'output') } : {}
  const { contentType } = route.answer
  return {
    operationId: `${route.method}${route.path.replace(/[^a-zA-Z0-9]+(\w)?/g, (_all, next: string | undefined) => (next ?? '').toUpperCase())}`,
    summary: route.summary,
    ...(route.description === '' ? {} : { description: route.description }),
    ...(route.auth === 'open' ? { security: [] } : { security: [{ bearer: [] }], 'x-accepts': route.auth }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body
      ? {
          requestBody: { required: true, content: { 'application/json': { schema: jsonSchema(route.body, 'input') } } },
        }
      : {}),
    responses: {
      [route.status]: {
        description: 'The answer.',
        ...(contentType === null ? {} : { content: { [contentType]: success } }),
      },
      default: {
        description: 'An error.',
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    },
  }
}

function parametersOf(schema: z.ZodType | null, where: 'path' | 'query'): Json[] {
  if (!schema) return []
  const object = ObjectSchema.parse(jsonSchema(schema, 'input'))
  return Object.entries(object.properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || object.required.includes(name),
    schema: property,
  }))
}

const ObjectSchema = z.object({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
})

/** The JSON Schema of what goes in (before defaults and transforms) or comes out. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' })
  return rest
}
