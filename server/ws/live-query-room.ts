import type { UserId } from '../../contracts/ids.ts'

/** How many live queries a user may have open at a time, and has. */
export interface LiveQueryRoom {
  /** Learns what the user's plan allows; before the first `openLiveQuery`. */
  prepare(userId: UserId): Promise<void>
  /** Takes room for one more, which `closeLiveQuery` gives back; none is taken when the plan has none left. */
  openLiveQuery(userId: UserId): { readonly isOpen: true } | { readonly isOpen: false; readonly limit: number }
  closeLiveQuery(userId: UserId): void
}
