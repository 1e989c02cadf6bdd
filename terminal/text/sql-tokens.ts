// SQL as a person types it: unfinished, with comments, in pieces. Read for colours, for the statement at the cursor, for what
// could be completed and for which parameters to ask; what may run is the server's to say.

export type SqlTokenKind = 'word' | 'quoted' | 'string' | 'number' | 'comment' | 'parameter' | 'symbol'

/** A piece of the text; space is none. An unfinished string or comment reaches to the end. */
export interface SqlToken {
  kind: SqlTokenKind
  text: string
  /** In UTF-16 units. */
  start: number
  end: number
  /** Whether it is finished: a string that nobody closed is not. */
  isClosed: boolean
}

/** A place of a parameter, `{name:Type}`. */
export interface SqlParameter {
  name: string
  type: string
}

/** One statement without the `;` behind it, and without space and comments around it. */
export interface SqlStatement {
  sql: string
  start: number
  end: number
}

const pattern =
  /(?<space>\s+)|(?<comment>--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<string>'(?:\\[\s\S]|''|[^'\\])*(?:'|\\?$)|(?<tag>\$\w*\$)[\s\S]*?(?:\k<tag>|$))|(?<quoted>`(?:\\[\s\S]|[^`\\])*(?:`|\\?$)|"(?:\\[\s\S]|[^"\\])*(?:"|\\?$))|(?<parameter>\{\s*[A-Za-z_]\w*\s*:\s*[A-Za-z][\w(), ']*?\s*\})|(?<number>\d[\w.]*)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<symbol>[\s\S])/uy

const kinds = ['comment', 'string', 'quoted', 'parameter', 'number', 'word', 'symbol'] as const

const known = new Map<string, readonly SqlToken[]>()
const knownMax = 8

/** The tokens of a text, in order. Never throws; the same text gives the same array as long as it was asked for lately. */
export function sqlTokens(sql: string): readonly SqlToken[] {
  const before = known.get(sql)
  if (before !== undefined) return before
  const tokens = [...readTokens(sql)]
  known.set(sql, tokens)
  for (const oldest of known.keys()) {
    if (known.size <= knownMax) break
    known.delete(oldest)
  }
  return tokens
}

function* readTokens(sql: string): Generator<SqlToken> {
  pattern.lastIndex = 0
  while (pattern.lastIndex < sql.length) {
    const start = pattern.lastIndex
    const groups = pattern.exec(sql)?.groups
    if (groups === undefined) return
    const kind = kinds.find(each => groups[each] !== undefined)
    if (kind === undefined) continue
    const end = pattern.lastIndex
    const text = sql.slice(start, end)
    yield { kind, text, start, end, isClosed: isClosed(kind, text, groups.tag) }
  }
}

function isClosed(kind: SqlTokenKind, text: string, tag: string | undefined): boolean {
  if (kind === 'comment') return !text.startsWith('/*') || (text.length >= 4 && text.endsWith('*/'))
  if (kind !== 'string' && kind !== 'quoted') return true
  const quote = tag ?? text[0] ?? ''
  return text.length >= 2 * quote.length && text.endsWith(quote)
}

/** The token that the offset stands in or right behind: what is being typed. */
export function tokenBefore(tokens: readonly SqlToken[], offset: number): SqlToken | null {
  return tokens.findLast(token => token.start < offset && offset <= token.end) ?? null
}

/** Whether what is typed at the offset goes into a string, a quoted name or a comment. */
export function isInText(tokens: readonly SqlToken[], offset: number): boolean {
  const token = tokens.findLast(each => each.start < offset)
  if (token === undefined) return false
  if (token.kind === 'comment' && !token.text.startsWith('/*')) return offset <= token.end
  if (!['string', 'quoted', 'comment'].includes(token.kind)) return false
  return offset < token.end || !token.isClosed
}

/** The statements of a text, in order; empty ones are left out. */
export function sqlStatements(sql: string): SqlStatement[] {
  const statements: SqlStatement[] = []
  let first: SqlToken | null = null
  let last: SqlToken | null = null
  const close = () => {
    if (first !== null && last !== null)
      statements.push({ sql: sql.slice(first.start, last.end), start: first.start, end: last.end })
    first = null
    last = null
  }
  for (const token of sqlTokens(sql)) {
    if (token.kind === 'symbol' && token.text === ';') close()
    else if (token.kind !== 'comment') {
      first ??= token
      last = token
    }
  }
  close()
  return statements
}

/** The statement that the cursor stands in, else the one before it, else the first. */
export function statementAt(sql: string, cursor: number): SqlStatement | null {
  const statements = sqlStatements(sql)
  return (
    statements.find(({ start, end }) => start <= cursor && cursor <= end + 1) ??
    statements.findLast(({ start }) => start <= cursor) ??
    statements[0] ??
    null
  )
}

/** The parameters of a text, each once, in the order in which they come. */
export function sqlParameters(sql: string): SqlParameter[] {
  const parameters = new Map<string, SqlParameter>()
  for (const { kind, text } of sqlTokens(sql)) {
    if (kind !== 'parameter') continue
    const [name = '', type = ''] = text.slice(1, -1).split(':')
    if (!parameters.has(name.trim())) parameters.set(name.trim(), { name: name.trim(), type: type.replace(/\s+/g, '') })
  }
  return [...parameters.values()]
}

/** A name as it must be written: with backticks where it is no plain word. */
export function writtenName(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

/** What a name is called, without its quotes. */
export function plainName({ kind, text }: Pick<SqlToken, 'kind' | 'text'>): string {
  return kind === 'quoted' ? text.slice(1, text.length > 1 ? -1 : undefined).replace(/\\([\s\S])/g, '$1') : text
}

/** Keywords, in capitals, with one line about each. */
export const sqlKeywords: ReadonlyMap<string, string> = new Map([
  ['SELECT', 'The columns and expressions of the answer'],
  ['DISTINCT', 'Each different row once'],
  ['FROM', 'What is read: v.… is public, mine.… your own'],
  ['WHERE', 'Which rows count'],
  ['PREWHERE', 'Which rows count, looked at before the other columns are read'],
  ['GROUP', 'One row for each group: GROUP BY'],
  ['ORDER', 'In which order: ORDER BY'],
  ['BY', 'Of GROUP BY, ORDER BY, LIMIT n BY and PARTITION BY'],
  ['HAVING', 'Which groups count'],
  ['LIMIT', 'At most so many rows; LIMIT n BY x: of each x'],
  ['OFFSET', 'Leaves out the first rows'],
  ['WITH', 'Names a subquery or an expression; behind ORDER BY … WITH FILL fills gaps'],
  ['AS', 'Gives a name'],
  ['AND', 'Both conditions'],
  ['OR', 'One of two conditions'],
  ['NOT', 'The opposite of a condition'],
  ['IN', 'One of a list or of a subquery'],
  ['BETWEEN', 'From one value to another, both included'],
  ['LIKE', 'A pattern: % is any text, _ one character'],
  ['ILIKE', 'The same in any case'],
  ['IS', 'IS NULL, IS NOT NULL'],
  ['NULL', 'No value'],
  ['CASE', 'CASE WHEN … THEN … ELSE … END'],
  ['WHEN', 'A condition of CASE'],
  ['THEN', 'What follows a WHEN'],
  ['ELSE', 'What holds when no WHEN does'],
  ['END', 'The end of CASE'],
  ['JOIN', 'Rows of another table beside these'],
  ['LEFT', 'LEFT JOIN keeps rows without a partner'],
  ['RIGHT', 'RIGHT JOIN keeps rows of the other table without a partner'],
  ['INNER', 'INNER JOIN keeps rows that have a partner'],
  ['FULL', 'FULL JOIN keeps all rows of both'],
  ['CROSS', 'CROSS JOIN: each with each'],
  ['ASOF', 'ASOF JOIN: the row closest before, e.g. in time'],
  ['ARRAY', 'ARRAY JOIN: a row for each element'],
  ['ON', 'How the rows of a JOIN belong together'],
  ['USING', 'By which columns of the same name a JOIN goes'],
  ['UNION', 'UNION ALL: the rows of both'],
  ['ALL', 'Of UNION ALL'],
  ['INTERSECT', 'Rows that both have'],
  ['EXCEPT', 'Rows that the second does not have; * EXCEPT (x) leaves out a column'],
  ['OVER', 'A function over a window: OVER (PARTITION BY … ORDER BY …)'],
  ['PARTITION', 'PARTITION BY: the groups of a window'],
  ['WINDOW', 'Names a window'],
  ['ROWS', 'ROWS BETWEEN … AND …: the frame of a window'],
  ['RANGE', 'RANGE BETWEEN … AND …: the frame of a window by value'],
  ['UNBOUNDED', 'UNBOUNDED PRECEDING: from the beginning'],
  ['PRECEDING', 'Rows before this one'],
  ['FOLLOWING', 'Rows after this one'],
  ['CURRENT', 'CURRENT ROW'],
  ['ROW', 'Of CURRENT ROW'],
  ['ASC', 'Upwards'],
  ['DESC', 'Downwards'],
  ['NULLS', 'NULLS FIRST, NULLS LAST'],
  ['FIRST', 'Of NULLS FIRST'],
  ['LAST', 'Of NULLS LAST'],
  ['FILL', 'ORDER BY … WITH FILL: rows for steps that are missing'],
  ['STEP', 'The step of WITH FILL'],
  ['TOTALS', 'GROUP BY … WITH TOTALS: a last row over all'],
  ['ROLLUP', 'GROUP BY … WITH ROLLUP: subtotals'],
  ['INTERVAL', 'A span of time: INTERVAL 7 DAY'],
  ['SECOND', 'Of INTERVAL'],
  ['MINUTE', 'Of INTERVAL'],
  ['HOUR', 'Of INTERVAL'],
  ['DAY', 'Of INTERVAL'],
  ['WEEK', 'Of INTERVAL'],
  ['MONTH', 'Of INTERVAL'],
  ['YEAR', 'Of INTERVAL'],
  ['SAMPLE', 'A share of the rows'],
  ['FINAL', 'With the newest of rows that replace each other'],
  ['TRUE', 'The truth value true'],
  ['FALSE', 'The truth value false'],
])
