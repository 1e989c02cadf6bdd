import { createHash } from 'node:crypto'

/** The rules by which timelines, waveforms and fingerprints are made: a change of any makes all of them anew. */
export const derivedVersion = 1

/**
 * The name under which something computed of a file is kept and found again: of the same content, by the same rules and
 * with the same parameters, whatever the file is called and whoever asks.
 * @param params plain JSON; the order of keys says nothing
 * @returns 64 lower-case hex digits
 */
export function derivedKey(of: {
  readonly contentId: string
  readonly kind: string
  readonly params: unknown
}): string {
  const text = JSON.stringify([derivedVersion, of.contentId, of.kind, inOrder(of.params)])
  return createHash('sha256').update(text).digest('hex')
}

function inOrder(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(inOrder)
  if (typeof json !== 'object' || json === null) return json
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, inOrder(field)]),
  )
}
