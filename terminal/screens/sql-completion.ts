import type { QueryCatalog } from '../../contracts/queries.ts'
import {
  isInText,
  plainName,
  type SqlToken,
  sqlKeywords,
  sqlParameters,
  sqlTokens,
  statementAt,
  tokenBefore,
  writtenName,
} from '../text/sql-tokens.ts'

/** One line of the completion list. Taking it replaces `from`…`to` of the text with `insert`. */
export interface SqlCandidate {
  label: string
  /** One line about it. */
  description: string
  insert: string
  /** How far before the end of `insert` the cursor then stands: inside the brackets of a function. */
  back: number
  from: number
  to: number
}

/** A table that a statement reads, or a name that it gives to a subquery. */
interface ScopeTable {
  /** As it may stand before a point: its alias, else its own name. */
  name: string
  columns: readonly { name: string; type: string; comment: string }[]
}

type Found = Pick<SqlCandidate, 'label' | 'description' | 'insert'> & { rank: number; back?: number }

const candidatesMax = 60
/** Keywords behind which a table stands. */
const beforeTable = ['FROM', 'JOIN']
/** Words that are no alias of the table before them. */
const noAlias = new Set(
  'ON USING WHERE PREWHERE GROUP ORDER HAVING LIMIT OFFSET UNION INTERSECT EXCEPT JOIN LEFT RIGHT INNER FULL CROSS ASOF ANY ALL SEMI ANTI ARRAY FINAL SAMPLE AS SETTINGS WINDOW WITH GLOBAL PASTE QUALIFY FORMAT'.split(
    ' ',
  ),
)

/**
 * What could stand at the cursor, best first: schemas and tables behind FROM and JOIN, columns of an alias behind its point,
 * else columns of the tables that the statement reads, names that it gives, functions, parameters and keywords. Pure.
 *
 * @param catalog null before the server has told: then only keywords and names of the text are known
 * @param isAsked also where nothing has been typed yet
 */
export function completeSql(
  sql: string,
  cursor: number,
  { catalog, isAsked }: { catalog: QueryCatalog | null; isAsked: boolean },
): SqlCandidate[] {
  const tokens = sqlTokens(sql)
  if (isInText(tokens, cursor)) return []
  const typing = tokenBefore(tokens, cursor)
  const isWord = typing !== null && (typing.kind === 'word' || typing.kind === 'quoted') && typing.end === cursor
  const typed = isWord ? plainName(typing).toLowerCase() : ''
  const from = isWord ? typing.start : cursor
  const before = tokens.filter(token => token.end <= from && token.kind !== 'comment')
  const isBehindPoint = before.at(-1)?.text === '.' && before.at(-1)?.end === from
  if (typed === '' && !isAsked && !isBehindPoint) return []
  // A word that is done needs no list under it.
  if (!isAsked && !isBehindPoint && sqlKeywords.has(typed.toUpperCase())) return []
  const statement = statementAt(sql, cursor)
  const inStatement =
    statement === null ? [] : tokens.filter(token => token.start >= statement.start && token.end <= statement.end)
  const scope = scopeOf(inStatement, catalog)
  const found = isBehindPoint
    ? behindPoint(before, scope, catalog)
    : isTablePlace(before)
      ? tablesOf(scope, catalog)
      : [
          ...columnsOf(scope),
          ...namesOf(inStatement, cursor),
          ...functionsOf(catalog),
          ...parametersOf(sql),
          ...keywords,
        ]
  return matching(found, typed)
    .filter(({ insert }) => insert.toLowerCase() !== typed || isAsked)
    .slice(0, candidatesMax)
    .map(({ label, description, insert, back }) => ({ label, description, insert, back: back ?? 0, from, to: cursor }))
}

/** What begins with the typed text goes before what has it inside; a name stands once. */
function matching(found: readonly Found[], typed: string): Found[] {
  const seen = new Set<string>()
  return found
    .flatMap(each => {
      const at = each.label.toLowerCase().indexOf(typed)
      const isPart = at > 0 && !/[._]/.test(each.label[at - 1] ?? '')
      // A letter or two inside of words would match nearly everything.
      if (at < 0 || (isPart && typed.length < 3)) return []
      return [{ each, order: (at === 0 ? 0 : isPart ? 100 : 50) + each.rank }]
    })
    .sort(
      (a, b) => a.order - b.order || a.each.label.length - b.each.label.length || compare(a.each.label, b.each.label),
    )
    .flatMap(({ each }) => {
      const key = each.label.toLowerCase()
      if (seen.has(key)) return []
      seen.add(key)
      return [each]
    })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function isTablePlace(before: readonly SqlToken[]): boolean {
  const last = before.at(-1)
  if (last === undefined) return false
  if (last.kind === 'word') return beforeTable.includes(last.text.toUpperCase())
  if (last.text !== ',') return false
  // A comma between tables: since the last FROM there is no keyword that ends the list.
  const clause = before.findLast(
    ({ kind, text }) =>
      kind === 'word' && ['SELECT', 'FROM', 'WHERE', 'ON', 'USING', 'BY', 'WITH'].includes(text.toUpperCase()),
  )
  return clause?.text.toUpperCase() === 'FROM'
}

function behindPoint(before: readonly SqlToken[], scope: readonly ScopeTable[], catalog: QueryCatalog | null): Found[] {
  const owner = before.at(-2)
  const name = owner === undefined ? '' : plainName(owner)
  const table = scope.find(each => each.name === name)
  if (table !== undefined) return columnFounds(table, 0)
  const schema = catalog?.schemas.find(each => each.name === name)
  return (schema?.tables ?? []).map(({ name: table, comment }) => ({
    label: table,
    description: comment,
    insert: writtenName(table),
    rank: 0,
  }))
}

function tablesOf(scope: readonly ScopeTable[], catalog: QueryCatalog | null): Found[] {
  const schemas = catalog?.schemas ?? []
  return [
    ...scope
      .filter(({ columns }) => columns.length === 0)
      .map(({ name }) => ({ label: name, description: 'named in this statement', insert: writtenName(name), rank: 0 })),
    ...schemas.flatMap(schema =>
      schema.tables.map(table => ({
        label: `${schema.name}.${table.name}`,
        description: table.comment,
        insert: `${schema.name}.${writtenName(table.name)}`,
        rank: 1,
      })),
    ),
    ...(catalog?.tableFunctions ?? []).map(name => ({
      label: name,
      description: 'rows that are made, not read',
      insert: `${name}()`,
      back: 1,
      rank: 3,
    })),
    ...['SELECT', 'FINAL'].map(word => ({
      label: word,
      description: sqlKeywords.get(word) ?? '',
      insert: word,
      rank: 4,
    })),
  ]
}

function columnsOf(scope: readonly ScopeTable[]): Found[] {
  return scope.flatMap(table => [
    ...columnFounds(table, 0),
    { label: table.name, description: 'a table of this statement', insert: writtenName(table.name), rank: 3 },
  ])
}

function columnFounds(table: ScopeTable, rank: number): Found[] {
  return table.columns.map(({ name, type, comment }) => ({
    label: name,
    description: comment === '' ? type : `${type}  ${comment}`,
    insert: writtenName(name),
    rank,
  }))
}

/** Names that the statement gives with AS. */
function namesOf(tokens: readonly SqlToken[], cursor: number): Found[] {
  return tokens.flatMap((token, i) => {
    const isGiven = tokens[i - 1]?.kind === 'word' && tokens[i - 1]?.text.toUpperCase() === 'AS'
    if (!isGiven || (token.kind !== 'word' && token.kind !== 'quoted') || token.end === cursor) return []
    const name = plainName(token)
    return [{ label: name, description: 'named in this statement', insert: writtenName(name), rank: 1 }]
  })
}

function functionsOf(catalog: QueryCatalog | null): Found[] {
  return (catalog?.functions ?? []).map(({ name, isAggregate, description }) => ({
    label: name,
    description: description === '' ? (isAggregate ? 'aggregate function' : 'function') : description,
    insert: `${name}()`,
    back: 1,
    rank: isAggregate ? 4 : 5,
  }))
}

function parametersOf(sql: string): Found[] {
  return sqlParameters(sql).map(({ name, type }) => ({
    label: name,
    description: `parameter, ${type}`,
    insert: `{${name}:${type}}`,
    rank: 2,
  }))
}

const keywords: readonly Found[] = [...sqlKeywords].map(([word, description]) => ({
  label: word,
  description,
  insert: word,
  rank: 3,
}))

/** The tables of a statement with their aliases, and the names of its WITH. */
function scopeOf(tokens: readonly SqlToken[], catalog: QueryCatalog | null): ScopeTable[] {
  const words = tokens.filter(({ kind }) => kind !== 'comment')
  return [...readTables(words, catalog), ...subqueryNames(words)]
}

function* readTables(tokens: readonly SqlToken[], catalog: QueryCatalog | null): Generator<ScopeTable> {
  for (let i = 0; i < tokens.length; i++) {
    if (!isKeyword(tokens[i], ...beforeTable) && !(tokens[i]?.text === ',' && isTablePlace(tokens.slice(0, i + 1))))
      continue
    const schema = tokens[i + 1]
    const table = tokens[i + 3]
    if (!isName(schema) || tokens[i + 2]?.text !== '.' || !isName(table)) continue
    const columns = catalog?.schemas
      .find(each => each.name === plainName(schema))
      ?.tables.find(each => each.name === plainName(table))?.columns
    if (columns === undefined) continue
    yield { name: aliasBehind(tokens, i + 4) ?? plainName(table), columns }
  }
}

function aliasBehind(tokens: readonly SqlToken[], at: number): string | null {
  const hasAs = isKeyword(tokens[at], 'AS')
  const token = tokens[hasAs ? at + 1 : at]
  if (!isName(token) || (!hasAs && noAlias.has(token.text.toUpperCase()))) return null
  return plainName(token)
}

/** `WITH x AS (`: a name that can be read from, of which no columns are known. */
function subqueryNames(tokens: readonly SqlToken[]): ScopeTable[] {
  return tokens.flatMap((token, i) =>
    isName(token) &&
    isKeyword(tokens[i + 1], 'AS') &&
    tokens[i + 2]?.text === '(' &&
    (isKeyword(tokens[i - 1], 'WITH') || tokens[i - 1]?.text === ',')
      ? [{ name: plainName(token), columns: [] }]
      : [],
  )
}

function isName(token: SqlToken | undefined): token is SqlToken {
  return token?.kind === 'word' || token?.kind === 'quoted'
}

function isKeyword(token: SqlToken | undefined, ...words: string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text.toUpperCase())
}
