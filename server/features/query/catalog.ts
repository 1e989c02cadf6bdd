import type { QueryCatalog } from '../../../contracts/queries.ts'
import type { Catalog } from '../../../core/sql-gate/catalog.ts'
import { allowedTableFunctions } from '../../../core/sql-gate/functions.ts'
import { parameterTypes } from '../../../core/sql-gate/placeholders.ts'
import { schemaDescriptions, viewDescriptions } from '../../../core/sql-gate/view-descriptions.ts'

/** What SQL may name, with a description of each view and column. */
export function queryCatalog(catalog: Catalog): QueryCatalog {
  const tablesOf = (names: ReadonlySet<string>) =>
    [...names].sort().map(name => {
      const described = viewDescriptions[name]
      const columns = (catalog.columnsOf.get(name) ?? []).map(column => ({
        name: column.name,
        type: column.type,
        comment: described?.columns[column.name]?.comment ?? '',
      }))
      return { name, comment: described?.comment ?? '', columns }
    })
  return {
    schemas: [
      { name: 'v', comment: schemaDescriptions.v, tables: tablesOf(catalog.publicTables) },
      { name: 'mine', comment: schemaDescriptions.mine, tables: tablesOf(catalog.ownTables) },
    ],
    functions: [...catalog.functions],
    tableFunctions: [...allowedTableFunctions],
    parameterTypes: [...parameterTypes],
  }
}
