import { z } from 'zod'
import { type ParamValue, renderSql } from '../../core/clickhouse/literal.ts'
import type { AnalyticsStore, QueryOptions } from '../../core/clickhouse/port.ts'
import type { WorldDatabase } from '../../core/world.ts'
import { readSql } from '../../sql/read.ts'

/** Values for the `{name:Type}` places of a query. */
export type QueryParams = Readonly<Record<string, ParamValue>>

/** Where a query runs. */
export interface QueryTarget {
  readonly store: AnalyticsStore
  readonly world: { readonly database: WorldDatabase }
  /** How many of the engine's threads a statement may take; as many as the engine likes when left out. */
  readonly threadsMax?: number
}

/** A 64-bit integer: a number where it is safe, text where it is not; ours are counts and instants, so a number does. */
export const wholeNumber = z.union([z.number(), z.string().transform(Number)])
/** A counter that may be missing. */
export const maybeNumber = z.union([z.null(), wholeNumber])

const files = new Map<string, Map<string, string>>()

/**
 * One part of `sql/clickhouse/queries/<file>.sql`: the text below its `-- part: name` line, or all of it when the file
 * has no parts. Comments are left out.
 */
export function sqlPart(file: string, part = ''): string {
  let parts = files.get(file)
  if (!parts) {
    parts = splitParts(readSql(`clickhouse/queries/${file}.sql`))
    files.set(file, parts)
  }
  const text = parts.get(part)
  if (text === undefined) throw new Error(`sql/clickhouse/queries/${file}.sql has no part ${part}.`)
  return text
}

function splitParts(text: string): Map<string, string> {
  const parts = new Map<string, string>()
  let name = ''
  let lines: string[] = []
  const keep = () => parts.set(name, lines.join('\n').trim())
  for (const line of text.split('\n')) {
    const begins = /^-- part: (\w+)$/.exec(line)
    if (begins) {
      keep()
      name = begins[1] ?? ''
      lines = []
    } else if (!line.startsWith('--')) lines.push(line)
  }
  keep()
  return parts
}

/** Puts other parts of our own texts in the place of `{{name}}`, until none is left. */
export function compose(text: string, slots: Readonly<Record<string, string>>): string {
  const filled = text.replace(/\{\{(\w+)\}\}/g, (_match, name: string) => {
    const slot = slots[name]
    if (slot === undefined) throw new Error(`Nothing is given for {{${name}}}.`)
    return slot
  })
  return filled === text ? text : compose(filled, slots)
}

/** Runs a text with the world's database and those of `params` that it names; rows are checked against `row`. */
export async function runQuery<Row extends z.ZodType>(
  target: QueryTarget,
  text: string,
  params: QueryParams,
  row: Row,
  options: QueryOptions = {},
): Promise<z.infer<Row>[]> {
  const rows = await target.store.query<unknown>(render(target, text, params), withThreads(target, options))
  return rows.map(found => row.parse(found))
}

/** The same for a statement without a result. */
export async function runCommand(target: QueryTarget, text: string, params: QueryParams, tag: string): Promise<void> {
  await target.store.command(render(target, text, params), withThreads(target, { tag }))
}

function withThreads({ threadsMax }: QueryTarget, options: QueryOptions): QueryOptions {
  if (threadsMax === undefined) return options
  return { ...options, settings: { ...options.settings, max_threads: threadsMax } }
}

function render(target: QueryTarget, text: string, params: QueryParams): string {
  const all: QueryParams = { database: target.world.database, ...params }
  const named = new Set([...text.matchAll(/\{(\w+):/g)].map(match => match[1]))
  return renderSql(text, Object.fromEntries(Object.entries(all).filter(([name]) => named.has(name))))
}
