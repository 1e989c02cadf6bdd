import { splitWords } from './words.ts'

/** What a command is about. A `search` is a name that only the server can resolve, e.g. `@mrbeast`. */
export type Subject = { type: 'clip' | 'creator' | 'topic'; id: string } | { type: 'search'; text: string }

const singular = { clips: 'clip', creators: 'creator', topics: 'topic' } as const

/** What a row of a ranked list is about. */
export function subjectOf(type: keyof typeof singular, id: string): Exclude<Subject, { type: 'search' }> {
  return { type: singular[type], id }
}

const platformOf: Readonly<Record<string, string>> = {
  youtube: 'youtube',
  yt: 'youtube',
  tiktok: 'tiktok',
  tt: 'tiktok',
  instagram: 'instagram',
  ig: 'instagram',
}

/**
 * Reads one word as a subject, or returns null when it looks like none: `#topic`, `@handle`, `@youtube:UC…` (a creator's
 * id), `youtube:dQw4w9WgXcQ` (a clip's id; a YouTube channel id is known by its form), `own:` with the id of media of one's own, or the
 * address of a video or channel.
 */
export function parseSubject(text: string): Subject | null {
  if (text.length > 300) return null
  if (/^https?:\/\//i.test(text)) return subjectOfAddress(text)
  if (text.startsWith('#')) return topicSubject(text)
  if (text.startsWith('@')) {
    const name = text.slice(1)
    const id = wireId(name)
    if (id !== null) return { type: 'creator', id }
    return name.trim() === '' ? null : { type: 'search', text }
  }
  if (/^own:[0-9a-f-]{36}$/i.test(text)) return { type: 'clip', id: text.toLowerCase() }
  const id = wireId(text)
  if (id === null) return null
  return isCreatorId(id) ? { type: 'creator', id } : { type: 'clip', id }
}

/** The text that `parseSubject` reads back as the same subject, quoted where it has to be. */
export function formatSubject(subject: Subject): string {
  const plain = plainText(subject)
  return /[\s"]/.test(plain) ? `"${plain.replaceAll('"', '')}"` : plain
}

/** Several subjects as one argument, and back; words that are no subject are left out. */
export function formatSubjects(subjects: readonly Subject[]): string {
  return subjects.map(formatSubject).join(' ')
}

/** @see formatSubjects */
export function parseSubjects(text: string): Subject[] {
  return splitWords(text).flatMap(word => parseSubject(word.text) ?? { type: 'search', text: word.text })
}

function plainText(subject: Subject): string {
  if (subject.type === 'search') return subject.text
  if (subject.type === 'topic') return `#${subject.id}`
  if (subject.type === 'creator') return isCreatorId(subject.id) ? subject.id : `@${subject.id}`
  return subject.id
}

function topicSubject(text: string): Subject | null {
  const id = text.toLowerCase().replace(/^#+/, '')
  return id === '' || id.length > 100 ? null : { type: 'topic', id }
}

function wireId(text: string): string | null {
  const colon = text.indexOf(':')
  const platform = platformOf[text.slice(0, Math.max(colon, 0)).toLowerCase()]
  const nativeId = text.slice(colon + 1)
  return platform === undefined || nativeId === '' || nativeId.length > 280 ? null : `${platform}:${nativeId}`
}

/** Creator ids that say so themselves: a YouTube channel id, or a creator known by name only. */
function isCreatorId(id: string): boolean {
  return /^youtube:UC[\w-]{22}$/.test(id) || /^\w+:name:/.test(id)
}

function subjectOfAddress(text: string): Subject | null {
  if (!URL.canParse(text)) return null
  const url = new URL(text)
  const host = url.hostname.replace(/^(www|m)\./, '')
  const path = url.pathname.split('/').filter(part => part !== '')
  if (host === 'youtu.be') return clipOf('youtube', path[0])
  if (host === 'youtube.com') {
    if (path[0] === 'watch') return clipOf('youtube', url.searchParams.get('v') ?? undefined)
    if (path[0] === 'shorts' || path[0] === 'live') return clipOf('youtube', path[1])
    if (path[0] === 'channel' && path[1] !== undefined) return { type: 'creator', id: `youtube:${path[1]}` }
  }
  if (host === 'tiktok.com' && path[1] === 'video') return clipOf('tiktok', path[2])
  if (host === 'instagram.com' && (path[0] === 'reel' || path[0] === 'p')) return clipOf('instagram', path[1])
  const handle = path.find(part => part.startsWith('@'))
  return handle === undefined || handle === '@' ? null : { type: 'search', text: handle }
}

function clipOf(platform: string, nativeId: string | undefined): Subject | null {
  return nativeId === undefined || nativeId === '' ? null : { type: 'clip', id: `${platform}:${nativeId}` }
}
