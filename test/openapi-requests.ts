import fc from 'fast-check'
import { z } from 'zod'
import type { Operation, Parameter } from './openapi-operations.ts'
import type { RawRequest } from './raw-http.ts'
import { arbitraryOf, hostileTexts, hostileValue } from './schema-arbitrary.ts'

/** What a request says, before it is put into words for the wire. */
export interface RequestParts {
  readonly params: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  /** Undefined: no body is sent. */
  readonly body: unknown
}

const Fields = z.record(z.string(), z.unknown())

/** Requests that the document allows. */
export function allowedRequests(operation: Operation): fc.Arbitrary<RequestParts> {
  const body = operation.body ? arbitraryOf(operation.body.schema) : fc.constant(undefined)
  return fc
    .tuple(parametersOf(operation, 'path'), parametersOf(operation, 'query'), body)
    .map(([params, query, body]) => ({ params, query, body }))
}

function parametersOf(operation: Operation, where: Parameter['in']): fc.Arbitrary<Record<string, unknown>> {
  const parameters = operation.parameters.filter(parameter => parameter.in === where)
  const fields = parameters.map(({ name, schema }) => [name, arbitraryOf(schema)] as const)
  const requiredKeys = parameters.filter(parameter => parameter.required).map(parameter => parameter.name)
  return fc.record(Object.fromEntries(fields), { requiredKeys }).map(record => Fields.parse(record))
}

/** Requests that begin as allowed ones, with something in them that nobody should send. */
export function hostileRequests(operation: Operation): fc.Arbitrary<RequestParts> {
  return allowedRequests(operation).chain(parts => {
    const ways: fc.Arbitrary<RequestParts>[] = [
      fc
        .tuple(nameOfField, hostileValue)
        .map(([name, value]) => ({ ...parts, query: { ...parts.query, [name]: value } })),
      ...Object.keys(parts.params).map(name =>
        hostileValue.map(value => ({ ...parts, params: { ...parts.params, [name]: value } })),
      ),
      ...operation.parameters
        .filter(parameter => parameter.in === 'query')
        .map(({ name }) => hostileValue.map(value => ({ ...parts, query: { ...parts.query, [name]: value } }))),
    ]
    if (operation.body) {
      ways.push(hostileValue.map(body => ({ ...parts, body })))
      const fields = Fields.safeParse(parts.body)
      if (fields.success) {
        ways.push(
          fc
            .tuple(fc.oneof(nameOfField, fc.constantFrom('', ...Object.keys(fields.data))), hostileValue)
            .map(([name, value]) => ({ ...parts, body: { ...fields.data, [name]: value } })),
        )
      }
    }
    return fc.oneof(...ways)
  })
}

const nameOfField = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'a[b]', 'a[]', 'toString', 'owner_id', 'user_id', 'role', 'plan', ''),
  fc.constantFrom(...hostileTexts).map(text => text.slice(0, 40)),
  fc.string({ maxLength: 10 }),
)

/** The request as it goes over the wire. */
export function onTheWire(
  operation: Operation,
  parts: RequestParts,
  headers: Readonly<Record<string, string>>,
): RawRequest {
  const path = operation.path.replace(/\{(\w+)\}/g, (_all, name: string) => encoded(parts.params[name]))
  const query = Object.entries(parts.query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
  const hasBody = operation.body !== null && parts.body !== undefined
  return {
    method: operation.method,
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers: { ...headers, ...(hasBody ? { 'content-type': operation.body?.type ?? '' } : {}) },
    body: hasBody ? bodyText(operation, parts.body) : null,
  }
}

function bodyText(operation: Operation, body: unknown): string {
  if (operation.body?.type === 'application/json') return JSON.stringify(body)
  const fields = Fields.safeParse(body)
  if (!fields.success) return textOf(body)
  return Object.entries(fields.data)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .join('&')
}

function encoded(value: unknown): string {
  return encodeURIComponent(textOf(value).toWellFormed())
}

/** A value as a query or a path can say it. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
