import type { AnalyticsStore } from '../clickhouse/port.ts'
import { worldDatabases } from '../world.ts'
import { isAllowedFunction } from './functions.ts'

/** What users' SQL may read and call, and what it may not even name. */
export interface Catalog {
  /** Views that everybody reads, by their names without `v.`. */
  readonly publicTables: ReadonlySet<string>
  /** Views that take an owner, by their names without `mine.`. */
  readonly ownTables: ReadonlySet<string>
  /** Columns of all of them. */
  readonly columns: ReadonlySet<string>
  /** Columns of each view with the engine's types, in their order; equal in both schemas. */
  readonly columnsOf: ReadonlyMap<string, readonly { readonly name: string; readonly type: string }[]>
  /** Every other database, in lower case. */
  readonly otherDatabases: ReadonlySet<string>
  /** In the order of their names. */
  readonly functions: readonly CatalogFunction[]
}

export interface CatalogFunction {
  readonly name: string
  readonly isAggregate: boolean
  /** The first sentence of what the engine says of it, or empty. */
  readonly description: string
}

const alwaysThere = [...worldDatabases, 'system', 'information_schema', 'default', '_temporary_and_external_tables']

/** Asks the store which views its schemas have, and which functions it knows. */
export async function loadCatalog(store: AnalyticsStore): Promise<Catalog> {
  const options = { tag: 'sql-gate:catalog' }
  const [views, columns, databases, functions] = await Promise.all([
    store.query<{ database: string; name: string }>(
      "SELECT database, name FROM system.tables WHERE database IN ('v', 'mine') AND engine = 'View'",
      options,
    ),
    store.query<{ table: string; name: string; type: string }>(
      "SELECT table, name, type FROM system.columns WHERE database = 'v' ORDER BY table, position",
      options,
    ),
    store.query<{ name: string }>('SELECT name FROM system.databases', options),
    store.query<{ name: string; is_aggregate: number; description: string }>(
      "SELECT name, is_aggregate, description FROM system.functions WHERE alias_to = '' ORDER BY name",
      options,
    ),
  ])
  const viewsOf = (database: string) =>
    new Set(views.filter(view => view.database === database).map(({ name }) => name))
  const found = databases.map(({ name }) => name.toLowerCase()).filter(name => name !== 'v' && name !== 'mine')
  return {
    publicTables: viewsOf('v'),
    ownTables: viewsOf('mine'),
    columns: new Set(columns.map(({ name }) => name)),
    columnsOf: Map.groupBy(columns, ({ table }) => table),
    otherDatabases: new Set([...alwaysThere, ...found]),
    functions: functions
      .filter(({ name }) => isAllowedFunction(name))
      .map(({ name, is_aggregate, description }) => ({
        name,
        isAggregate: is_aggregate === 1,
        description: firstSentence(description),
      })),
  }
}

const sentenceCharsMax = 160

/** Of the engine's Markdown: without links, marks and boxes. */
function firstSentence(markdown: string): string {
  const text = markdown
    .replace(/:::[\s\S]*?:::/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
  const sentence = /^.*?[.:](?= |$)/.exec(text)?.[0] ?? text
  return sentence.length > sentenceCharsMax ? `${sentence.slice(0, sentenceCharsMax - 1)}…` : sentence
}
