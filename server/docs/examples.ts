import { z } from 'zod'

/** Values that a reader recognises, by the name of what they are for; each is taken where its schema fits. */
const byName: Readonly<Record<string, unknown>> = {
  creatorId: 'youtube:UCX6OQ3DkcsbYNE6H8uQQuVA',
  creator: 'youtube:UCX6OQ3DkcsbYNE6H8uQQuVA',
  videoId: 'youtube:dQw4w9WgXcQ',
  vodId: 'own:0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57',
  source: 'https://media.example.com/stream.mp4',
  expires: '1769861700',
  key: '20484',
  startTime: 12.5,
  endTime: 42,
  at: '12.5,42',
  endSec: 3600,
  widthPx: 96,
  heightPx: 54,
  cells: 120,
  id: 'youtube:dQw4w9WgXcQ',
  type: 'clips',
  period: '24h',
  metric: 'views',
  email: 'ada@example.com',
  password: 'correct horse battery staple',
  current_password: 'correct horse battery staple',
  new_password: 'a much longer horse battery staple',
  name: 'My script',
  scopes: ['trends:read'],
  url: 'https://hooks.example.com/cliptape',
  events: ['video.breakout'],
  sql: 'SELECT platform, count() AS clips FROM v.videos GROUP BY platform',
  file: [
    'name: Mornings',
    'panels:',
    '  - id: top',
    '    title: Biggest clips',
    '    kind: table',
    '    at: { x: 0, y: 0, width: 12, height: 6 }',
    '    source: { query: trends, params: { period: 24h } }',
    '',
  ].join('\n'),
  plan: 'pro',
  code_verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  redirect_uri: 'http://127.0.0.1:51004/callback',
}
const uuid = '0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57'
const instant = '2026-01-31T12:00:00Z'

const NodeSchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  default: z.unknown().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  minLength: z.number().optional(),
  minItems: z.number().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
})

/**
 * A value of a JSON Schema that comes from one of ours: what must be there, no more.
 * @param name of the field, by which the value is chosen where one is known
 */
export function exampleOf(schema: unknown, name = ''): unknown {
  const node = NodeSchema.parse(schema)
  if (node.const !== undefined) return node.const
  const known = byName[name]
  if (node.enum) return node.enum.includes(known) ? known : node.enum[0]
  const branches = node.anyOf ?? node.oneOf
  if (branches) return exampleOf(branches[0], name)
  if (node.type === 'object' || node.properties) {
    return Object.fromEntries(node.required.map(field => [field, exampleOf(node.properties?.[field] ?? {}, field)]))
  }
  if (node.default !== undefined) return node.default
  if (node.format === 'uuid') return uuid
  if (node.format === 'date-time') return instant
  if (known !== undefined && Array.isArray(known) === (node.type === 'array')) return known
  switch (node.type) {
    case 'array':
      return Array.from({ length: node.minItems ?? 0 }, () => exampleOf(node.items ?? {}, name.replace(/s$/, '')))
    case 'integer':
    case 'number':
      return Math.max(node.minimum ?? 1, 1)
    case 'boolean':
      return true
    case 'null':
      return null
    default:
      return 'x'.repeat(Math.max(node.minLength ?? 0, 1))
  }
}
