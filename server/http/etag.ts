import { createHash } from 'node:crypto'

/**
 * A weak entity tag of what an answer says: two answers with one tag say the same, though their instants of making may
 * differ.
 */
export function weakEtag(content: string): string {
  return `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`
}

/** Whether a caller's `If-None-Match` names this tag: any of a list, or `*`. Weak comparison, as RFC 9110 asks for. */
export function isKnownTo(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false
  if (ifNoneMatch.trim() === '*') return true
  const wanted = opaqueOf(etag)
  return ifNoneMatch.split(',').some(tag => opaqueOf(tag.trim()) === wanted)
}

function opaqueOf(tag: string): string {
  return tag.startsWith('W/') ? tag.slice(2) : tag
}
