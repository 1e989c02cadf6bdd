/**
 * Links that open one file for a while, without a credential: for a player, a download manager, a colleague.
 *
 * A link carries the file's id, when it ends, which key signed it, and an HMAC-SHA-256 over those, the version of this
 * form, the method and the disposition: none of it can be changed. Keys follow from the installation's secret and the day;
 * today's signs, today's and yesterday's are believed, so that a link made before midnight lives on, every node has the
 * same keys, and none is stored.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../../contracts/errors.ts'
import type { Clock } from '../../../core/clock.ts'

/** A link is good for so long, in ms. */
export const linkKeptMs = 15 * 60_000
const keyMs = 86_400_000
const version = 'v1'

/** What the query of a link holds. */
export interface LinkQuery {
  /** Epoch seconds. */
  readonly expires: string
  readonly key: string
  readonly signature: string
}

export interface DownloadLinks {
  /** The path and query of a link to a file, and when it ends. */
  sign(fileId: string): { readonly path: string; readonly expiresAt: Date }
  /** @throws AppError FORBIDDEN for a link that is not ours or was changed; GONE for one that has ended */
  check(fileId: string, query: LinkQuery): void
}

/** @param secret of the installation, the same on every node */
export function createDownloadLinks(o: { secret: string; clock: Clock }): DownloadLinks {
  const signature = (fileId: string, { expires, key }: Omit<LinkQuery, 'signature'>): Buffer => {
    const signing = Buffer.from(hkdfSync('sha256', o.secret, key, 'cliptape download links', 32))
    return createHmac('sha256', signing)
      .update([version, 'GET', 'attachment', fileId, expires, key].join('\n'))
      .digest()
  }
  const today = () => Math.floor(o.clock.nowMs() / keyMs)
  return {
    sign(fileId) {
      const expiresAtMs = Math.floor((o.clock.nowMs() + linkKeptMs) / 1000) * 1000
      const query = { expires: String(expiresAtMs / 1000), key: String(today()) }
      const text = new URLSearchParams({ ...query, signature: signature(fileId, query).toString('base64url') })
      return { path: `/api/media/files/${fileId}?${text}`, expiresAt: new Date(expiresAtMs) }
    },
    check(fileId, query) {
      const isLive = [today(), today() - 1].map(String).includes(query.key)
      const given = Buffer.from(query.signature, 'base64url')
      // Computed in any case: how long it takes tells nothing.
      const right = signature(fileId, query)
      const isSame = given.length === right.length && timingSafeEqual(given, right)
      if (!isSame) throw new AppError('FORBIDDEN', 'This link is not one of ours, or was changed: ask for a new one.')
      if (!isLive || Number(query.expires) * 1000 <= o.clock.nowMs())
        throw new AppError('GONE', 'This link has ended: ask for a new one.')
    },
  }
}
