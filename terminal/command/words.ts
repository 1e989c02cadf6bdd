/** One word of a command: what it says, and where it stands in the text (`at` ≤ `end`, in UTF-16 units). */
export interface Word {
  text: string
  at: number
  end: number
  /** It was written in quotes, at least in part: then it is never a function's name. */
  isQuoted: boolean
}

const separator = /[\s\p{Cc}]/u

/**
 * Splits a command into words. Double quotes keep spaces, also in the middle of a word (`TOPIC="mr beast"`); an open
 * quote reaches to the end of the text. Control characters count as spaces.
 */
export function splitWords(text: string): Word[] {
  const words: Word[] = []
  let word: Word | null = null
  let isInQuotes = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    if (!isInQuotes && separator.test(char)) {
      word = null
      continue
    }
    if (word === null) {
      word = { text: '', at: i, end: i, isQuoted: false }
      words.push(word)
    }
    word.end = i + 1
    if (char === '"') {
      isInQuotes = !isInQuotes
      word.isQuoted = true
    } else word.text += separator.test(char) ? ' ' : char
  }
  return words
}
