import type { AccountReading } from './port.ts'

/** An account of which nothing is known but who it is; spread and fill in what is. */
export const unknownAccount = {
  name: '',
  handle: '',
  avatarUrl: '',
  followers: null,
  views: null,
  videos: null,
  likes: null,
  observedAtMs: 0,
  endpoint: '',
  uploadsId: null,
  odd: [],
} satisfies Partial<AccountReading>
