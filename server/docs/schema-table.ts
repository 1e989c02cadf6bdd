import { z } from 'zod'
import { jsonSchema } from '../openapi.ts'

/** The part of JSON Schema that our own schemas become. */
const NodeSchema = z.object({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  format: z.string().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
  default: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
})

/** A field of an object: its type in words, and whether it must be there or what stands in for it. */
export interface Field {
  readonly name: string
  readonly type: string
  /** `required`, a default in backticks, or nothing. */
  readonly note: string
}

export function schemaFields(schema: z.ZodType, io: 'input' | 'output'): Field[] {
  const object = NodeSchema.parse(jsonSchema(schema, io))
  return Object.entries(object.properties ?? {}).map(([name, raw]) => {
    const field = NodeSchema.parse(raw)
    const fallback = field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``
    const isRequired = io === 'input' && object.required.includes(name)
    return { name, type: typeText(raw), note: isRequired ? 'required' : fallback }
  })
}

/** The fields of an object schema as a Markdown table; a sentence when it has none. */
export function schemaTable(schema: z.ZodType, io: 'input' | 'output'): string {
  const fields = schemaFields(schema, io)
  if (fields.length === 0) return 'None.'
  const rows = fields.map(({ name, type, note }) => `| \`${name}\` | ${type} | ${note} |`)
  return ['| field | type | default |', '| --- | --- | --- |', ...rows].join('\n')
}

function typeText(raw: unknown): string {
  const node = NodeSchema.parse(raw)
  const branches = node.anyOf ?? node.oneOf
  if (branches) return [...new Set(branches.map(typeText))].join(' or ')
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``
  if (node.enum) return node.enum.map(value => `\`${String(value)}\``).join(', ')
  if (node.type === 'array') return `list of ${node.items === undefined ? 'anything' : typeText(node.items)}`
  const names = typeof node.type === 'string' ? [node.type] : (node.type ?? ['anything'])
  return `${names.join(' or ')}${boundsText(node)}`
}

function boundsText(node: z.infer<typeof NodeSchema>): string {
  if (node.format) return ` (${node.format})`
  if (node.maxLength !== undefined) return ` (up to ${node.maxLength} characters)`
  const { minimum, maximum } = node
  // Bounds at the edge of what a number can hold say nothing.
  const isTold = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
  if (minimum !== undefined && isTold) return ` (${minimum} to ${maximum})`
  return minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? ` (${minimum} or more)` : ''
}
