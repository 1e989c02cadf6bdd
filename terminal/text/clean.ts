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
  return text
    .replace(sequences, '')
    .replace(spaces, ' ')
    .replace(invisible, '')
    .replace(/ {2,}/g, ' ')
    .normalize('NFC')
    .replace(markRun, '$1')
}

/** The same value with every string in it cleaned, also in arrays and objects; keys of objects are kept. */
export function cleanDeep(value: unknown): unknown {
  if (typeof value === 'string') return clean(value)
  if (Array.isArray(value)) return value.map(cleanDeep)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, cleanDeep(each)]))
}
