// Titles and names come from strangers. Whatever could move the cursor, colour the screen, reorder the line or take no
// cell is taken out once, where a message enters; everything behind that point may print a text as it is.

const esc = '\u001b'
const bell = '\u0007'
const stringEnd = '\u009c'
const sequences = new RegExp(
  [
    `(?:${esc}\\[|\u009b)[0-?]*[ -/]*[@-~]?`, // CSI: colours, cursor moves, modes
    `(?:${esc}[\\]P_^X]|[\u009d\u0090\u009e\u009f\u0098])[^${bell}${esc}${stringEnd}]*(?:${bell}|${esc}\\\\|${stringEnd})?`, // OSC, DCS and the like
    `${esc}[ -/]*[0-~]?`,
  ].join('|'),
  'g',
)
/** White space, but for the byte order mark, which is no space to anybody. */
const spaces = /(?!\ufeff)\s/gu
/** Controls, surrogate halves, private use, and what is invisible or joins: bidi marks, zero-width joiners, variation selectors, tags. */
const invisible =
  /[\p{Cc}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\u{FFF9}-\u{FFFB}]|\p{Emoji_Modifier}/gu
/** More than three marks on one letter climb into the lines above. */
const markRun = /(\p{M}{3})\p{M}+/gu
const isPlain = /^[\x20-\x7e]*$/

/**
 * A text from outside as it may be printed: no control or escape sequence (CSI, OSC, DCS and their one-byte forms), no
 * bidi or zero-width character, white space as single spaces. Emoji sequences fall into their parts, because terminals
 * disagree on the width of the whole. Never longer than the input but by normalisation (NFC).
 */
export function clean(text: string): string {
  if (isPlain.test(text) && !text.includes('  ')) return text
  return printable(text).replace(/ {2,}/g, ' ')
}

/** The same of a text whose lines and indents mean something, e.g. SQL: `\n` and runs of spaces stay, a tab is two spaces. */
export function cleanLines(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', '  ')
    .split('\n')
    .map(line => (isPlain.test(line) ? line : printable(line)))
    .join('\n')
}

/**
 * The same value with every string in it cleaned, also in arrays and objects; keys of objects are kept.
 * @param lineFields fields whose texts keep their lines
 */
export function cleanDeep(value: unknown, lineFields: readonly string[] = []): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map(each => cleanDeep(each, lineFields))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [
      key,
      lineFields.includes(key) ? cleanLinesDeep(each) : cleanDeep(each, lineFields),
    ]),
  )
}

function cleanLinesDeep(value: unknown): unknown {
  if (typeof value === 'string') return cleanLines(value)
  return Array.isArray(value) ? value.map(cleanLinesDeep) : cleanDeep(value)
}

function printable(text: string): string {
  return text.replace(sequences, '').replace(spaces, ' ').replace(invisible, '').normalize('NFC').replace(markRun, '$1')
}
