import type { AlertFired } from './alerts.ts'
import type { Platform } from './ids.ts'
import type { MediaChange } from './media-jobs.ts'
import type { WorldStatus } from './ws.ts'

/**
 * What roles tell each other. A message says that something happened, never what to do; who missed one reads the store.
 * `world` is the ClickHouse database the rows went to: `cliptape`, or `replay` for the world of a replay.
 */
export type BusEvents = {
  /** Rows are durable and visible. Ids are wire ids; `videos` is cut at 1,000 and `isCut` says so. */
  'samples.written': {
    world: string
    platforms: Platform[]
    videos: string[]
    isCut: boolean
    rowCount: number
    atMs: number
  }
  'metadata.written': { world: string; atMs: number }
  /** Private readings of a user are durable and visible: to nobody else. */
  'own.written': { world: string; userId: string }
  'deadletters.changed': { count: number }
  'world.changed': WorldStatus
  'niches.changed': { atMs: number }
  /** Deliveries of webhooks wait to be sent. */
  'webhooks.due': { atMs: number }
  /** Developer credentials wait to be tried. */
  'credentials.due': { atMs: number }
  /** An account was linked, and waits to be read. */
  'accounts.linked': { atMs: number }
  /** What was read of some account of the user must go: its grant has ended. */
  'numbers.ended': { userId: string }
  /** An API key was made or revoked: by its visible beginning. */
  'keys.changed': { prefix: string }
  /** Look it up again: it has ended, or what it may do has changed. `sessionId` null: every session of the user. */
  'session.ended': { userId: string; sessionId: string | null }
  /** Work on media waits to be begun. */
  'media.due': { atMs: number }
  /** Work on media of a user began, went on or ended. */
  'media.changed': { userId: string; change: MediaChange }
  /** Rules were made or changed, and wait to be looked at. */
  'alerts.due': { atMs: number }
  /** An alert of a user fired, and is to be told in the terminal. */
  'alert.fired': { userId: string; fired: AlertFired }
  /** Mails about firings wait to be sent. */
  'alert.mails': { atMs: number }
  /** A watchlist of a user was changed. */
  'watchlists.changed': { userId: string }
  /** Another key signs access tokens from now on. */
  'signing-keys.changed': { atMs: number }
}
export type BusTopic = keyof BusEvents

/** Every topic, for adapters that must not trust a name; the type makes this list complete. */
export const busTopics: Readonly<Record<BusTopic, true>> = {
  'samples.written': true,
  'metadata.written': true,
  'own.written': true,
  'deadletters.changed': true,
  'world.changed': true,
  'niches.changed': true,
  'webhooks.due': true,
  'credentials.due': true,
  'accounts.linked': true,
  'numbers.ended': true,
  'session.ended': true,
  'signing-keys.changed': true,
  'keys.changed': true,
  'media.due': true,
  'media.changed': true,
  'alerts.due': true,
  'alert.fired': true,
  'alert.mails': true,
  'watchlists.changed': true,
}
