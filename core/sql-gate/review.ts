/**
 * Looks at every token of a statement and refuses what could reach further than the views of `v` and `mine`.
 *
 * Three rules overlap on purpose, because each of them alone has been got around somewhere:
 *
 * - Where a table stands (after FROM, JOIN, their commas, and as the set of IN) only `v.<view>`, `mine.<view>`, a name
 *   that a WITH around it gives, or a harmless table function may stand. Everything else is refused.
 * - Anywhere else, what stands before a dot must be an alias, column or view of this statement; the name of any other
 *   database is refused at every place, even as an alias that is then dotted.
 * - What is called must be on the list of allowed functions (`function-lists.ts`). An allow list, because a new version
 *   of the engine brings new functions and nobody reads them all: what nobody has looked at does not run. A deny list
 *   is needed besides, for names that are not called: `arrayMap(file, ['/etc/passwd'])` hands a function over by its
 *   bare name, and there a list of allowed names would have to hold every column and alias. Functions that read a name
 *   from a string (`joinGet('db.table', …)`, `arrayReduce('name', …)`) are refused, as no token shows that name.
 *
 * Refused as well are the words by which a SELECT writes files, changes its settings or applies functions. What is let
 * through is text that the engine wrote and we have read to the end; it is that text which runs, never the user's.
 */
import { AppError } from '../../contracts/errors.ts'
import type { Catalog } from './catalog.ts'
import { isAllowedFunction, isAllowedTableFunction, isFreeName, isRefusedFunction, tellsInstant } from './functions.ts'
import { isKeyword, isName, isSymbol, type Token } from './tokens.ts'

/** What a statement reads, and where the owner has to be put in before it may run. */
export interface Review {
  /** E.g. `v.samples`, each once, in the order of their first mention. */
  readonly tables: readonly string[]
  readonly ownTables: readonly OwnTable[]
  /** A function is called that tells the present instant. */
  readonly usesClock: boolean
}

export interface OwnTable {
  /** `mine.samples` stands there as written. */
  readonly start: number
  readonly end: number
  readonly name: string
  /** It is the set of an IN, where only a SELECT can stand in its place. */
  readonly isSet: boolean
}

/** Words by which a SELECT does more than read. The engine writes keywords in capitals; in lower case they are names. */
const refusedKeywords = new Set([
  'SETTINGS',
  'FORMAT',
  'INTO',
  'OUTFILE',
  'APPLY',
  'EXPLAIN',
  'STREAM',
  'PARALLEL',
  'COMPRESSION',
  'INSERT',
  'ALTER',
  'CREATE',
  'DROP',
  'DELETE',
  'UPDATE',
  'SHOW',
  'DESCRIBE',
  'SYSTEM',
  'KILL',
  'GRANT',
  'ATTACH',
  'DETACH',
  'TRUNCATE',
  'OPTIMIZE',
  'RENAME',
  'EXECUTE',
])
/** Keywords that a parenthesis may follow without being a call. */
const wordsBeforeParenthesis = new Set(
  `ALL AND AS BETWEEN BY COLUMNS DISTINCT EXCEPT FROM HAVING ILIKE IN INTERPOLATE INTERSECT JOIN LIKE LIMIT MATERIALIZED
  NOT OFFSET ON OR OVER PREWHERE QUALIFY REPLACE SAMPLE SELECT SETS STEP TO UNION USING WHERE WITH`.split(/\s+/),
)
/** Keywords after which a comma no longer separates tables. */
const clauseWords = new Set(
  'SELECT WHERE PREWHERE GROUP HAVING ORDER LIMIT WINDOW QUALIFY UNION INTERSECT EXCEPT SETTINGS'.split(' '),
)

/**
 * Keywords that decide here what is a table. The engine writes most of them without quotes even where they are names, so
 * that `SELECT 1 AS FILL FROM merge(…)` would look like `WITH FILL FROM`: in capitals they may not be given as names.
 */
const structure = new Set([
  ...wordsBeforeParenthesis,
  ...clauseWords,
  ...'AS ARRAY FILL GLOBAL INNER CROSS IS RECURSIVE NULL CASE END'.split(' '),
])

/** Words that are values. */
const constants = new Set(['null', 'true', 'false', 'inf', 'nan'])

/** One level of parentheses. */
interface Level {
  /** Names that a WITH of this level has given to subqueries. */
  readonly subqueries: Set<string>
  /** Inside FROM, where a comma is followed by a table. */
  isFrom: boolean
}

/**
 * @param tokens of the engine's own form of the statement
 * @throws AppError QUERY_REFUSED with a sentence that names what is refused; `details.tokenIndex` says where, if anywhere
 */
export function reviewStatement(tokens: readonly Token[], catalog: Catalog): Review {
  const first = tokens.find(token => !isSymbol(token, '('))
  if (!isKeyword(first, 'SELECT') && !isKeyword(first, 'WITH')) throw refuse('Only one SELECT is allowed')
  return new Reviewer(tokens, catalog).review()
}

class Reviewer {
  readonly #tokens: readonly Token[]
  readonly #catalog: Catalog
  /** Aliases, arguments of lambdas and names of subqueries, wherever they are given. */
  readonly #given: ReadonlySet<string>
  readonly #levels: Level[] = [{ subqueries: new Set(), isFrom: false }]
  readonly #tables = new Set<string>()
  readonly #ownTables: OwnTable[] = []
  /** Views that are the set of an IN and have been looked at: index of the first token → where they end. */
  readonly #sets = new Map<number, number>()
  #isTableNext = false
  #usesClock = false

  constructor(tokens: readonly Token[], catalog: Catalog) {
    this.#tokens = tokens
    this.#catalog = catalog
    this.#given = namesGiven(tokens)
  }

  review(): Review {
    for (let at = 0; at < this.#tokens.length; ) at = this.#placedStep(at)
    if (this.#isTableNext) throw refuse('The SQL ends where a table should stand')
    return { tables: [...this.#tables], ownTables: this.#ownTables, usesClock: this.#usesClock }
  }

  #placedStep(at: number): number {
    try {
      return this.#step(at)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      throw new AppError(error.code, error.message, { details: { tokenIndex: at }, cause: error })
    }
  }

  /** Looks at what begins at `at`; returns where the next one begins. */
  #step(at: number): number {
    const token = this.#tokens[at]
    if (!token) return at + 1
    if (isName(token)) return this.#isTableNext ? this.#table(at) : this.#name(at)
    if (token.kind === 'symbol') this.#symbol(at, token)
    else if (this.#isTableNext) throw refuse(`${shown(token.name)} stands where a table should`)
    return at + 1
  }

  #symbol(at: number, { name }: Token): void {
    if (name === '(' || name === '[') {
      if (this.#isTableNext) this.#expectSubquery(at)
      this.#levels.push({ subqueries: new Set(), isFrom: false })
    } else if (name === ')' || name === ']') {
      if (this.#isTableNext) throw refuse('There is no table where one should stand')
      this.#levels.pop()
      if (this.#levels.length === 0) throw refuse('The parentheses do not match')
    } else if (this.#isTableNext) throw refuse(`${name} stands where a table should`)
    else if (name === ',') this.#isTableNext = this.#level.isFrom
  }

  /** A parenthesis in the place of a table holds a SELECT, or more of its kind. */
  #expectSubquery(at: number): void {
    const next = this.#tokens[at + 1]
    const isNested = isSymbol(next, '(')
    if (!isNested && !isKeyword(next, 'SELECT') && !isKeyword(next, 'WITH')) {
      throw refuse(`${shown(next?.name ?? '')} stands where a table or SELECT should`)
    }
    this.#isTableNext = isNested
  }

  get #level(): Level {
    const level = this.#levels.at(-1)
    if (!level) throw refuse('The parentheses do not match')
    return level
  }

  // A table's place.

  #table(at: number): number {
    this.#isTableNext = false
    const { path, end } = this.#path(at)
    const [head = '', name = ''] = path
    if (isSymbol(this.#tokens[end], '(')) {
      if (path.length > 1 || !isAllowedTableFunction(head))
        throw refuse(`The table function ${shown(path.join('.'))} is not allowed`)
      if (head.toLowerCase() === 'values') this.#refuseComputedColumns(end + 1)
    } else if (path.length === 1) {
      if (!this.#isSubquery(head)) {
        throw refuse(
          `The table ${shown(head)} is not one of ours: only the views of v and mine can be read, e.g. v.samples`,
        )
      }
    } else this.#view(at, end, { path, head, name, isSet: false })
    return end
  }

  #refuseComputedColumns(at: number): void {
    let first = at
    while (isSymbol(this.#tokens[first], '(')) first += 1
    const token = this.#tokens[first]
    if (token?.kind !== 'string' || !/[\s(]/.test(token.name) || isPlainColumns(token.name)) return
    throw refuse(`${shown(token.name)} is not a plain list of columns and their types`)
  }

  /** `v.x` or `mine.x` where it is read as a table. */
  #view(at: number, end: number, o: { path: readonly string[]; head: string; name: string; isSet: boolean }): void {
    const { path, head, name, isSet } = o
    const full = path.join('.')
    const known = head === 'v' ? this.#catalog.publicTables : head === 'mine' ? this.#catalog.ownTables : null
    if (known === null)
      throw refuse(
        `The table ${shown(full)} is not one of ours: only the views of v and mine can be read, e.g. v.samples`,
      )
    if (path.length > 2 || !known.has(name)) {
      throw refuse(`There is no view ${shown(full)}: ${head} has ${[...known].sort().join(', ') || 'none yet'}`)
    }
    this.#tables.add(full)
    if (head !== 'mine') return
    const [first, last] = [this.#tokens[at], this.#tokens[end - 1]]
    if (first && last) this.#ownTables.push({ start: first.start, end: last.end, name, isSet })
  }

  #isSubquery(name: string): boolean {
    return this.#levels.some(level => level.subqueries.has(name))
  }

  // Any other place.

  #name(at: number): number {
    const token = this.#tokens[at]
    if (!token) return at + 1
    const setEnd = this.#sets.get(at)
    if (setEnd !== undefined) return setEnd
    // A colon is the type of a part of a JSON column: `a.b.:Int64`.
    if (isSymbol(this.#tokens[at - 1], '.') || isSymbol(this.#tokens[at - 1], ':')) return this.#field(at, token)
    const { path, end } = this.#path(at)
    const next = this.#tokens[end]
    if (path.length > 1 || isSymbol(next, '.')) this.#qualified(path, next)
    else if (isSymbol(next, '(')) this.#call(at, token)
    else this.#word(at, token)
    return end
  }

  /** What follows a dot is a column or a part of one, and never called. */
  #field(at: number, { name }: Token): number {
    if (isSymbol(this.#tokens[at + 1], '(')) throw refuse(`The function ${shown(name)} is not allowed`)
    return at + 1
  }

  #qualified(path: readonly string[], next: Token | undefined): void {
    const [head = '', name = ''] = path
    const { publicTables, ownTables, columns, otherDatabases } = this.#catalog
    if (isSymbol(next, '(')) throw refuse(`The function ${shown(path.join('.'))} is not allowed`)
    if (otherDatabases.has(head.toLowerCase())) {
      throw refuse(
        `${shown(path.join('.'))} is in the database ${head}, which cannot be read: use the views of v and mine`,
      )
    }
    const isColumnOfView = path.length > 2 || isSymbol(next, '.')
    if (head === 'v' && publicTables.has(name)) return
    if (head === 'mine' && ownTables.has(name)) {
      if (isColumnOfView) return
      throw refuse(`mine.${name} stands where no table can: write (SELECT … FROM mine.${name})`)
    }
    const isKnown = this.#given.has(head) || columns.has(head) || publicTables.has(head) || ownTables.has(head)
    if (!isKnown)
      throw refuse(`${shown(path.join('.'))} is not allowed: this SQL has no table, alias or column ${shown(head)}`)
  }

  #call(at: number, { kind, name }: Token): void {
    if (kind === 'word' && wordsBeforeParenthesis.has(name)) {
      this.#keyword(at, name)
      return
    }
    // `WITH name(a, b) AS (SELECT …` and `FROM … AS name(a, b)` are no calls.
    if (isSubqueryNamed(this.#tokens, at)) {
      this.#level.subqueries.add(name)
      return
    }
    if (isKeyword(this.#tokens[at - 1], 'AS')) return
    // A lambda that was given a name. Were it that of a table function, a table could be taken for a call.
    if (this.#given.has(name) && isFreeName(name)) return
    if (!isAllowedFunction(name)) throw refuse(`The function ${shown(name)} is not allowed`)
    if (tellsInstant(name)) this.#usesClock = true
  }

  #word(at: number, { kind, name }: Token): void {
    if (kind === 'word' && refusedKeywords.has(name)) {
      throw refuse(`${name} is not allowed (if it is a name of yours, write it in lower case)`)
    }
    // The operator IN has the name of a refused function.
    if (isRefusedFunction(name) && !isKeyword(this.#tokens[at], 'IN')) {
      throw refuse(
        `${shown(name)} is the name of a function that is not allowed (if it is a name of yours, take another one)`,
      )
    }
    if (isSubqueryNamed(this.#tokens, at)) this.#level.subqueries.add(name)
    if (kind === 'word') this.#keyword(at, name)
  }

  #keyword(at: number, name: string): void {
    const before = this.#tokens[at - 1]
    if (name === 'FROM') {
      // ORDER BY … WITH FILL FROM 1 TO 2, and a IS DISTINCT FROM b, are followed by expressions.
      const isFill = isKeyword(before, 'FILL') && isKeyword(this.#tokens[at - 2], 'WITH')
      const isDistinct = isKeyword(before, 'DISTINCT') && isKeyword(this.#tokens[at - 2], 'IS')
      if (isFill || isDistinct) return
      this.#level.isFrom = true
      this.#isTableNext = true
    } else if (name === 'JOIN') {
      this.#isTableNext = !isKeyword(before, 'ARRAY')
      this.#level.isFrom = this.#isTableNext
    } else if (name === 'IN') this.#set(at + 1)
    else if (clauseWords.has(name)) this.#level.isFrom = false
  }

  /** The right side of IN: when it is nothing but a name, the engine may take it for a table. */
  #set(at: number): void {
    let start = at
    while (isSymbol(this.#tokens[start], '(')) start += 1
    if (!isName(this.#tokens[start])) return
    const { path, end } = this.#path(start)
    const next = this.#tokens[end]
    if (isSymbol(next, '(') || (start > at && !isSymbol(next, ')'))) return
    const [head = '', name = ''] = path
    if (path.length === 1) {
      const isKnown = this.#isSubquery(head) || this.#given.has(head) || this.#catalog.columns.has(head)
      if (isKnown || constants.has(head.toLowerCase())) return
      throw refuse(
        `The table ${shown(head)} is not one of ours: only the views of v and mine can be read, e.g. v.samples`,
      )
    }
    const isView =
      head === 'mine' ? this.#catalog.ownTables.has(name) : head === 'v' && this.#catalog.publicTables.has(name)
    if (!isView || path.length > 2) return
    this.#view(start, end, { path, head, name, isSet: true })
    this.#sets.set(start, end)
  }

  /** The names from `at` on that dots hold together, and where they end. */
  #path(at: number): { path: string[]; end: number } {
    const path = [this.#tokens[at]?.name ?? '']
    let end = at + 1
    for (;;) {
      const next = this.#tokens[end + 1]
      if (!isSymbol(this.#tokens[end], '.') || !isName(next)) return { path, end }
      path.push(next.name)
      end += 2
    }
  }
}

/** Whether `name AS (SELECT …` or `name(a, b) AS (SELECT …` stands there, as in WITH. */
function isSubqueryNamed(tokens: readonly Token[], at: number): boolean {
  let next = at + 1
  if (isSymbol(tokens[next], '(')) {
    next += 1
    while (isName(tokens[next]) || isSymbol(tokens[next], ',')) next += 1
    if (!isSymbol(tokens[next], ')')) return false
    next += 1
  }
  if (!isKeyword(tokens[next], 'AS')) return false
  next += isMaterialized(tokens, next + 1) ? 2 : 1
  if (!isSymbol(tokens[next], '(')) return false
  while (isSymbol(tokens[next], '(')) next += 1
  return isKeyword(tokens[next], 'SELECT') || isKeyword(tokens[next], 'WITH')
}

/**
 * Every name that the statement itself gives to something.
 * @throws AppError QUERY_REFUSED when it is a keyword of the structure
 */
function namesGiven(tokens: readonly Token[]): ReadonlySet<string> {
  const given = tokens.flatMap((token, at) => {
    const next = tokens[at + 1]
    if (isSymbol(next, '->')) return argumentsBefore(tokens, at)
    if (isKeyword(token, 'AS') && isName(next) && !isMaterialized(tokens, at + 1)) {
      // AS t(a, b) names columns too.
      return [next, ...(isSymbol(tokens[at + 2], '(') ? listFrom(tokens, at + 3) : [])]
    }
    if (isName(token) && isSubqueryNamed(tokens, at)) {
      return [token, ...(isSymbol(next, '(') ? listFrom(tokens, at + 2) : [])]
    }
    return []
  })
  const keyword = given.find(({ kind, name }) => kind === 'word' && structure.has(name))
  if (keyword) throw refuse(`${keyword.name} is a keyword and not allowed as a name (in lower case it is)`)
  return new Set(given.map(({ name }) => name))
}

/** `AS MATERIALIZED (SELECT …` in WITH. */
function isMaterialized(tokens: readonly Token[], at: number): boolean {
  return isKeyword(tokens[at], 'MATERIALIZED') && isSymbol(tokens[at + 1], '(')
}

/** `a, b)`: the names up to the parenthesis; none when anything else stands there. */
function listFrom(tokens: readonly Token[], at: number): Token[] {
  const names: Token[] = []
  for (let index = at; ; index += 2) {
    const token = tokens[index]
    if (!isName(token)) return []
    names.push(token)
    if (isSymbol(tokens[index + 1], ')')) return names
    if (!isSymbol(tokens[index + 1], ',')) return []
  }
}

/**
 * Column names and types, and nothing that is computed: `values('a String, b String ALIAS file(a)', …)` would compute.
 * @param text with its quotes
 */
function isPlainColumns(text: string): boolean {
  let outer = text.slice(1, -1)
  if (!/^[\w\s,()]*$/.test(outer) || /\b(alias|default|materialized|ephemeral|codec|ttl)\b/i.test(outer)) return false
  while (/\([^()]*\)/.test(outer)) outer = outer.replace(/\([^()]*\)/g, '')
  return outer.split(',').every(column => /^\s*\w+\s+\w+\s*$/.test(column))
}

/** The arguments of a lambda whose arrow follows `at`: `x` or `(x, y)`. */
function argumentsBefore(tokens: readonly Token[], at: number): Token[] {
  const last = tokens[at]
  if (isName(last)) return [last]
  const names: Token[] = []
  for (let index = at - 1; index >= 0; index -= 1) {
    const token = tokens[index]
    if (isName(token)) names.push(token)
    else if (!isSymbol(token, ',')) return names
  }
  return names
}

function shown(name: string): string {
  const printable = name.replace(/\p{Cc}/gu, '?')
  return printable.length > 100 ? `${printable.slice(0, 100)}…` : printable
}

function refuse(sentence: string): AppError {
  return new AppError('QUERY_REFUSED', `${sentence}.`)
}
