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

/** Of an object inside, or of a list of them, the fields come after it: `data[].title`. One level, in answers alone. */
export function schemaFields(schema: z.ZodType, io: 'input' | 'output'): Field[] {
  const raw = jsonSchema(schema, io)
  const node = NodeSchema.parse(raw)
  if (node.type === 'array') return fieldsOf(node.items ?? {}, { io, prefix: '[].', depth: 0 })
  return formsOf(raw).flatMap((form, index, all) => {
    const fields = fieldsOf(form, { io, prefix: '', depth: io === 'output' ? 1 : 0 })
    if (all.length === 1) return fields
    return fields.map(field => ({ ...field, note: [`form ${index + 1}`, field.note].filter(Boolean).join(', ') }))
  })
}

/** The objects that are understood, where there are several. */
function formsOf(raw: unknown): unknown[] {
  const { anyOf, oneOf } = NodeSchema.parse(raw)
  return [...(anyOf ?? oneOf ?? [raw])]
}

function fieldsOf(raw: unknown, at: { io: 'input' | 'output'; prefix: string; depth: number }): Field[] {
  const object = NodeSchema.parse(raw)
  return Object.entries(object.properties ?? {}).flatMap(([name, raw]) => {
    const node = NodeSchema.parse(raw)
    const fallback = node.default === undefined ? '' : `\`${JSON.stringify(node.default)}\``
    const isRequired = at.io === 'input' && object.required.includes(name)
    const path = `${at.prefix}${name}`
    const field = { name: path, type: typeText(raw), note: isRequired ? 'required' : fallback }
    if (at.depth === 0) return [field]
    const isList = node.type === 'array'
    return [
      field,
      ...fieldsOf(isList ? (node.items ?? {}) : raw, {
        io: at.io,
        prefix: isList ? `${path}[].` : `${path}.`,
        depth: at.depth - 1,
      }),
    ]
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
