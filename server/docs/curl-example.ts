import { z } from 'zod'
import type { Route } from '../http/route.ts'
import { jsonSchema } from '../openapi.ts'
import { exampleOf } from './examples.ts'

/** A call of a route as somebody would type it: what must be there, filled with examples. */
export function curlExample(route: Route): string {
  const parts = [route.method === 'get' ? 'curl' : `curl -X ${route.method.toUpperCase()}`]
  if (route.auth !== 'open') {
    parts.push(route.auth.includes('jwt') ? '-H "Authorization: Bearer $TOKEN"' : '-H "X-API-Key: $KEY"')
  }
  if (route.body && !route.isBodyOptional) parts.push(...bodyOf(route, route.body))
  parts.push(`'http://127.0.0.1:4400${filledPath(route)}${filledQuery(route)}'`)
  return parts.join(' ')
}

function bodyOf(route: Route, body: z.ZodType): string[] {
  const example = exampleOf(jsonSchema(body, 'input'))
  if (route.isForm) {
    const fields = z.record(z.string(), z.string()).parse(example)
    return Object.entries(fields).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`)
  }
  return [`-H 'Content-Type: application/json'`, `-d ${quoted(JSON.stringify(example))}`]
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`
}

function filledPath(route: Route): string {
  const values = requiredOf(route.params)
  return route.path.replace(/:(\w+)/g, (_all, name: string) => encodeURIComponent(values[name] ?? ''))
}

function filledQuery(route: Route): string {
  const query = new URLSearchParams(requiredOf(route.query)).toString()
  return query === '' ? '' : `?${query}`
}

function requiredOf(schema: z.ZodType | null): Record<string, string> {
  if (schema === null) return {}
  const example = z.record(z.string(), z.unknown()).parse(exampleOf(jsonSchema(schema, 'input')))
  return Object.fromEntries(Object.entries(example).map(([name, value]) => [name, String(value)]))
}
