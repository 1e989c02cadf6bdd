import { AppError } from '../../contracts/errors.ts'

/**
 * One token of a statement as the engine itself wrote it down (`formatQuerySingleLine`). That text has no comments, no
 * heredocs, one way to quote a name and one way to quote a string, which is why so little is needed to read it, and why
 * anything else in it is refused and never guessed at.
 */
export interface Token {
  /** `word` is a name or keyword without quotes, `quoted` a name in backticks. */
  readonly kind: 'word' | 'quoted' | 'string' | 'number' | 'symbol'
  /** What a name is called, without quotes and escapes; for other tokens their text. */
  readonly name: string
  readonly start: number
  readonly end: number
}

const tokenCountMax = 20_000

const pattern =
  /(?<space> +)|(?<string>'(?:\\[\s\S]|[^'\\])*')|(?<quoted>`(?:\\[\s\S]|[^`\\])*`)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<number>\d+(?:\.\d*)?(?:e[+-]?\d+)?)|(?<symbol>->|<=>|!=|<=|>=|[()[\],.+\-*/%=<>:^])/y

/**
 * @throws AppError QUERY_REFUSED at anything that the engine does not write in a SELECT: `;`, comments, `{x:Type}`
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = []
  pattern.lastIndex = 0
  while (pattern.lastIndex < sql.length) {
    const start = pattern.lastIndex
    const groups = pattern.exec(sql)?.groups
    if (!groups)
      throw new AppError('QUERY_REFUSED', `The SQL holds ${sql.slice(start, start + 1)}, which is not allowed.`)
    const end = pattern.lastIndex
    const { string, quoted, word, number, symbol } = groups
    if (word !== undefined) tokens.push({ kind: 'word', name: word, start, end })
    else if (quoted !== undefined) tokens.push({ kind: 'quoted', name: unquote(quoted), start, end })
    else if (string !== undefined) tokens.push({ kind: 'string', name: string, start, end })
    else if (number !== undefined) tokens.push({ kind: 'number', name: number, start, end })
    else if (symbol !== undefined) {
      const before = tokens.at(-1)
      // Two symbols that would begin a comment when the text is read again.
      const pair = before?.kind === 'symbol' && before.end === start ? before.name + symbol : ''
      if (pair.startsWith('--') || pair.startsWith('/*')) {
        throw new AppError('QUERY_REFUSED', 'The SQL holds the beginning of a comment, which is not allowed.')
      }
      tokens.push({ kind: 'symbol', name: symbol, start, end })
    }
    if (tokens.length > tokenCountMax) {
      throw new AppError('QUERY_REFUSED', `The SQL has more than ${tokenCountMax} words and signs.`)
    }
  }
  return tokens
}

/** Whether the token is a name: of a table, column, function or alias, or, without quotes, a keyword. */
export function isName(token: Token | undefined): token is Token & { kind: 'word' | 'quoted' } {
  return token?.kind === 'word' || token?.kind === 'quoted'
}

/** Whether the token is this keyword. The engine writes keywords in capitals and without quotes. */
export function isKeyword(token: Token | undefined, keyword: string): boolean {
  return token?.kind === 'word' && token.name === keyword
}

export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.name === symbol
}

/** Control characters that are written as escapes do not occur in a name that means anything here; they stay letters. */
function unquote(text: string): string {
  return text.slice(1, -1).replace(/\\([\s\S])/g, '$1')
}
