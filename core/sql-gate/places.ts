import { AppError } from '../../contracts/errors.ts'
import type { QueryPlace } from '../../contracts/queries.ts'
import type { Filled } from './placeholders.ts'
import { isName, type Token } from './tokens.ts'

/** Strings, heredocs and comments are passed over; quoted and plain names are found. */
const userPart =
  /'(?:\\[\s\S]|''|[^'\\])*'|(\$\w*\$)[\s\S]*?\1|--[^\n]*|\/\*[\s\S]*?\*\/|`(?<ticked>(?:\\[\s\S]|[^`\\])*)`|"(?<doubled>(?:\\[\s\S]|[^"\\])*)"|(?<word>[A-Za-z_]\w*)/g

/** The engine's words about where it could not read on: a byte of the text from 1, and what stands there. */
const syntaxPlace = /failed at position (\d+)( \((?:end of query|.{1,100}?)\))?(?: \(line \d+, col \d+\))?:/
/** The engine's words about a name that it does not know, or cannot use there. */
const namedThing = /(?:[Ii]dentifier|Column|column|function(?! identifier)) [`']?([\w.]+)[`']?/
/** What the engine shows of the statement as it ran. */
const shownStatement = /[\s.:]*\bin (?:scope|query) \(?(?:SELECT|WITH|EXPLAIN)\b[\s\S]*$/i
const expectedMax = 8

/** Where a character of a text is, in lines and columns. @param offset counts from 0 */
export function placeAt(text: string, offset: number): QueryPlace {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: [...before.slice(lineStart)].length + 1 }
}

/** What the engine says of SQL that it cannot read, with the place in the user's own text. */
export function withSyntaxPlace(error: unknown, filled: Filled): unknown {
  if (!(error instanceof AppError) || error.code !== 'QUERY_FAILED') return error
  const found = syntaxPlace.exec(error.message)
  if (!found?.[1]) return error
  const bytes = Buffer.from(filled.sql, 'utf8').subarray(0, Number(found[1]) - 1)
  const place = placeAt(filled.original, filled.originalOffset(bytes.toString('utf8').length))
  const after = error.message.slice(found.index + found[0].length)
  const what = /(Expected one of: .*|Unmatched parentheses.*)$/.exec(after)?.[1]
  const kind = /(?:SQL: )(.*?):? ?Syntax error/.exec(error.message)?.[1]
  const near = found[2] === undefined ? '' : `, at${found[2].replace(/^ \((.*)\)$/s, ' $1')}`
  const reason = [kind, what && shortened(what)].filter(part => part !== undefined && part !== '').join(': ')
  return placed(error, `The SQL cannot be read at line ${place.line}, column ${place.column}${near}`, { reason, place })
}

/** What the engine says of a name, with the name's first place in the user's own text. */
export function withNamePlace(error: unknown, filled: Filled): unknown {
  if (!(error instanceof AppError) || error.code !== 'QUERY_FAILED') return error
  const message = error.message.replace(shownStatement, '').replace(/[\s.]*$/, '')
  const name = namedThing.exec(message)?.[1]?.split('.').at(-1)
  const offset = name === undefined ? null : offsetOfName(filled.original, name, 0)
  if (offset === null) return new AppError(error.code, `${message}.`, { details: error.details, cause: error })
  const place = placeAt(filled.original, offset)
  return placed(error, `${message} (line ${place.line}, column ${place.column})`, { reason: '', place })
}

/**
 * What the gate says of a token of the engine's own form, with that token's place in the user's own text: the same
 * occurrence of the same name. Where the name does not stand there, the engine has made it of something else.
 */
export function withTokenPlace(error: unknown, tokens: readonly Token[], filled: Filled): unknown {
  if (!(error instanceof AppError) || error.code !== 'QUERY_REFUSED') return error
  const { tokenIndex, ...details } = error.details
  const token = typeof tokenIndex === 'number' ? tokens[tokenIndex] : undefined
  const unplaced = new AppError(error.code, error.message, { details, cause: error })
  if (!isName(token)) return unplaced
  const same = (other: Token) => isName(other) && other.name.toLowerCase() === token.name.toLowerCase()
  const nth = tokens.filter(other => other.start < token.start && same(other)).length
  const offset = offsetOfName(filled.original, token.name, nth)
  if (offset === null) return unplaced
  const place = placeAt(filled.original, offset)
  const sentence = `${error.message.replace(/\.$/, '')} (line ${place.line}, column ${place.column})`
  return placed(unplaced, sentence, { reason: '', place })
}

function placed(error: AppError, sentence: string, o: { reason: string; place: QueryPlace }): AppError {
  const message = o.reason === '' ? `${sentence}.` : `${sentence}: ${o.reason.replace(/[\s.]*$/, '')}.`
  return new AppError(error.code, message, { details: { ...error.details, ...o.place }, cause: error })
}

/** Of what the engine could have read there, the first few. */
function shortened(expected: string): string {
  const [head = '', list] = expected.split('Expected one of: ')
  if (list === undefined) return head
  const parts = list.replace(/[\s.]*$/, '').split(', ')
  const more = parts.length > expectedMax ? ', …' : ''
  return `expected ${parts.slice(0, expectedMax).join(', ')}${more}`
}

/** The nth place of a name in a user's text, or the last one where it stands there less often; null where it does not. */
function offsetOfName(text: string, name: string, nth: number): number | null {
  const wanted = name.toLowerCase()
  const offsets = [...text.matchAll(userPart)].flatMap(found => {
    const { ticked, doubled, word } = found.groups ?? {}
    return (ticked ?? doubled ?? word)?.toLowerCase() === wanted ? [found.index] : []
  })
  return offsets[Math.min(nth, offsets.length - 1)] ?? null
}
