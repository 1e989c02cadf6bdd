import type { AnalyticsStore } from '../clickhouse/port.ts'
import { worldDatabases } from '../world.ts'

/** What users' SQL may read and what it may not even name. */
export interface Catalog {
  /** Views that everybody reads, by their names without `v.`. */
  readonly publicTables: ReadonlySet<string>
  /** Views that take an owner, by their names without `mine.`. */
  readonly ownTables: ReadonlySet<string>
  /** Columns of all of them. */
  readonly columns: ReadonlySet<string>
  /** Every other database, in lower case. */
  readonly otherDatabases: ReadonlySet<string>
}

const alwaysThere = [...worldDatabases, 'system', 'information_schema', 'default', '_temporary_and_external_tables']

/** Asks the store which views its schemas have. */
export async function loadCatalog(store: AnalyticsStore): Promise<Catalog> {
  const options = { tag: 'sql-gate:catalog' }
  const [views, columns, databases] = await Promise.all([
    store.query<{ database: string; name: string }>(
      "SELECT database, name FROM system.tables WHERE database IN ('v', 'mine') AND engine = 'View'",
      options,
    ),
    store.query<{ name: string }>("SELECT DISTINCT name FROM system.columns WHERE database = 'v'", options),
    store.query<{ name: string }>('SELECT name FROM system.databases', options),
  ])
  const viewsOf = (database: string) =>
    new Set(views.filter(view => view.database === database).map(({ name }) => name))
  const found = databases.map(({ name }) => name.toLowerCase()).filter(name => name !== 'v' && name !== 'mine')
  return {
    publicTables: viewsOf('v'),
    ownTables: viewsOf('mine'),
    columns: new Set(columns.map(({ name }) => name)),
    otherDatabases: new Set([...alwaysThere, ...found]),
  }
}
