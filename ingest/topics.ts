import { ownText } from './values.ts'

/**
 * The topics of a video: hashtags, the author's own tags, and phrases of the title, as the platform shows them. The
 * rule is plain on purpose, so that a user can see why a topic is there (`docs/import.md` states it):
 *
 * 1. Every hashtag in title, description or tag list.
 * 2. The author's first 15 tags of one to three words.
 * 3. Title phrases: the title is cut at punctuation; in each piece, runs of two to four words that each begin with a
 *    capital letter or digit ("Last Week Tonight", "iPhone X" does not count: one capital). A title that shouts (no
 *    lower-case letter) or whose script has no capitals gives its pieces of two to four words instead.
 *
 * All are lower case without `#`, 2 to 60 characters, with at least one letter; words that say nothing about the
 * subject ("official video") are left out; at most `topicsMax`, in the order above.
 */

const topicsMax = 20
const tagsMax = 15
const hashtagPattern = /#([\p{L}\p{N}_\p{M}]{2,60})/gu
const piecePattern = /[|｜:：;,.!?…()[\]{}"“”„«»「」『』【】/\\•·~♪★☆]|\s[-–—]\s|\sft\.?\s|\sfeat\.?\s/iu
const capitalRun = /(?:[\p{Lu}\p{N}][\p{L}\p{N}\p{M}'’&-]*)(?:\s(?:[\p{Lu}\p{N}][\p{L}\p{N}\p{M}'’&-]*)){1,3}/gu
const hasLetter = /\p{L}/u

/** Phrases of the trade: true of any upload, so they say nothing about its subject. */
const emptyPhrases = new Set([
  'official video',
  'official music video',
  'music video',
  'official audio',
  'official trailer',
  'official teaser',
  'official teaser trailer',
  'official lyric video',
  'lyric video',
  'official mv',
  'full video',
  'full episode',
  'new video',
  'live stream',
  'full hd',
  'funny video',
  'funny videos',
  'youtube',
  'video',
  'none',
  '[none]',
])

/** What a topic can be taken from. Absent parts are empty. */
export interface TopicText {
  readonly title: string
  readonly description: string
  readonly tags: readonly string[]
  /** Hashtags that the platform gives as a list. */
  readonly hashtags?: readonly string[]
}

/** @returns at most 20 topics, each once, in the order of the rule */
export function topicsOf(text: TopicText): string[] {
  const topics = new Set<string>()
  const add = (raw: string) => {
    if (topics.size >= topicsMax) return
    const topic = normaliseTopic(raw)
    if (topic !== '') topics.add(topic)
  }
  for (const hashtag of text.hashtags ?? []) add(hashtag)
  for (const part of [text.title, text.description]) {
    if (part.includes('#')) for (const match of part.matchAll(hashtagPattern)) add(match[1] ?? '')
  }
  for (const tag of text.tags.slice(0, tagsMax)) if (wordCount(tag) <= 3) add(tag)
  for (const phrase of titlePhrases(text.title)) add(phrase)
  return [...topics]
}

/** Lower case, no leading `#`, single spaces; empty when it is no topic by the rule above. */
export function normaliseTopic(raw: string): string {
  const topic = raw
    .replace(/^#+/, '')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .toLowerCase()
  if (topic.length < 2 || topic.length > 60 || !hasLetter.test(topic) || emptyPhrases.has(topic)) return ''
  return ownText(topic)
}

function titlePhrases(title: string): string[] {
  const isPlain = title.toLowerCase() !== title && title.toUpperCase() !== title
  return title
    .replace(hashtagPattern, ' ')
    .split(piecePattern)
    .flatMap(piece => {
      const words = piece?.trim() ?? ''
      if (isPlain) return words.match(capitalRun) ?? []
      const count = wordCount(words)
      return count >= 2 && count <= 4 ? [words] : []
    })
}

function wordCount(text: string): number {
  const trimmed = text.trim()
  return trimmed === '' ? 0 : trimmed.split(/\s+/).length
}
