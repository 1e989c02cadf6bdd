import fc from 'fast-check'
import { z } from 'zod'

const NodeSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minItems: z.number().optional(),
  maxItems: z.number().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
  additionalProperties: z.unknown().optional(),
})
type Node = z.infer<typeof NodeSchema>

/** Patterns that the generator of texts cannot read: what stands for them. */
const wireIds = [
  'youtube:v1',
  'youtube:dQw4w9WgXcQ',
  'tiktok:7312345678901234567',
  'instagram:a b/c?d#e',
  'youtube:🎬%00',
]

/** Values of a JSON Schema such as our documents hold. */
export function arbitraryOf(schema: unknown): fc.Arbitrary<unknown> {
  const node = NodeSchema.parse(schema)
  if (node.const !== undefined) return fc.constant(node.const)
  if (node.enum) return fc.constantFrom(...node.enum)
  const branches = node.anyOf ?? node.oneOf
  if (branches) return fc.oneof(...branches.map(arbitraryOf))
  if (Array.isArray(node.type)) return fc.oneof(...node.type.map(type => arbitraryOf({ ...node, type })))
  switch (node.type) {
    case 'object':
      return objectOf(node)
    case 'array':
      return fc.array(arbitraryOf(node.items ?? {}), {
        minLength: node.minItems ?? 0,
        maxLength: Math.min(node.maxItems ?? 4, (node.minItems ?? 0) + 4),
      })
    case 'string':
      return textOf(node)
    case 'integer':
      return fc.integer({
        min: Math.max(node.minimum ?? -1000, -(2 ** 31)),
        max: Math.min(node.maximum ?? 1000, 2 ** 31 - 1),
      })
    case 'number':
      return fc.double({ min: node.minimum ?? -1e9, max: node.maximum ?? 1e9, noNaN: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return fc.jsonValue({ maxDepth: 2 })
  }
}

function objectOf(node: Node): fc.Arbitrary<unknown> {
  const fields = Object.entries(node.properties ?? {}).map(([name, schema]) => [name, arbitraryOf(schema)] as const)
  const known = fc.record(Object.fromEntries(fields), { requiredKeys: node.required })
  const { additionalProperties: others } = node
  if (typeof others !== 'object' || others === null) return known
  return fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), arbitraryOf(others), { maxKeys: 3 })
}

function textOf(node: Node): fc.Arbitrary<string> {
  switch (node.format) {
    case 'uuid':
      return fc.uuid()
    case 'date-time':
      return fc
        .date({ min: new Date('1990-01-01T00:00:00Z'), max: new Date('2090-01-01T00:00:00Z'), noInvalidDate: true })
        .map(date => date.toISOString())
    case 'email':
      return fc.emailAddress({ size: 'small' })
    case 'uri':
      return fc.webUrl()
  }
  if (node.pattern?.startsWith('^(youtube|tiktok|instagram)')) return fc.constantFrom(...wireIds)
  const bounds = {
    minLength: node.minLength ?? 0,
    maxLength: Math.min(node.maxLength ?? 40, (node.minLength ?? 0) + 40),
  }
  if (node.pattern === undefined || node.pattern.includes('\\p{')) {
    return fc.string({ ...bounds, minLength: Math.max(bounds.minLength, node.pattern ? 1 : 0), unit: 'grapheme-ascii' })
  }
  return fc.stringMatching(new RegExp(node.pattern))
}

/** Things that nobody should send: wrong types, and what has broken other programs. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  "' OR 1=1 --",
  "'; DROP TABLE users; --",
  '") FORMAT Null; SELECT * FROM system.users --',
  '{{7*7}}<%= 7*7 %>',
  '../../../../etc/passwd',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '\r\nSet-Cookie: a=b\r\n\r\n<html>',
  'x'.repeat(5_000),
  '\ud800',
  '𝕏'.repeat(300),
  '٣',
  '1e309',
  '-1',
  '0x10',
  '9223372036854775808',
  'NaN',
  'null',
  'undefined',
  '__proto__',
  'constructor',
  '[object Object]',
  '<script>alert(1)</script>',
  'youtube:',
  'youtube:\u202e\u0007',
  'file:///etc/passwd',
  'http://169.254.169.254/latest/meta-data/',
  'http://[::1]:22/',
]

/** Any JSON, hostile more often than not. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...hostileTexts) },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e308, -0, [], {}, [[]], { a: {} }) },
  { weight: 2, arbitrary: fc.jsonValue({ maxDepth: 4 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
)
