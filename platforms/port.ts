import type { Platform } from '../contracts/ids.ts'

/**
 * What Cliptape asks of a platform, in one form for all three. Clients speak HTTP through the guarded `Outbound` and know
 * nothing of sandboxes: only base addresses differ. They never retry, store or schedule: who calls decides by the error's
 * class. Facts of the platforms are stated where they are used.
 */

/** The kinds of developer credentials that users own. */
export const credentialKinds = [
  'google',
  'google_api_key',
  'tiktok_desktop',
  'tiktok_web',
  'instagram_login',
  'facebook_login',
] as const
export type CredentialKind = (typeof credentialKinds)[number]

/** `clientId` is TikTok's `client_key`. `google_api_key` has an `apiKey` alone. */
export interface DeveloperCredentials {
  readonly kind: CredentialKind
  readonly clientId: string
  readonly clientSecret: string
  readonly apiKey: string | null
}

/** One base address per host, without a slash at the end: tests and the sandbox swap them one by one. */
export interface PlatformUrls {
  readonly googleAuthorize: string
  readonly googleToken: string
  readonly youtubeData: string
  readonly youtubeAnalytics: string
  readonly tiktokAuthorize: string
  readonly tiktokApi: string
  readonly instagramAuthorize: string
  readonly instagramToken: string
  readonly instagramGraph: string
  readonly facebookAuthorize: string
  readonly facebookGraph: string
  /** e.g. `v25.0`. */
  readonly graphVersion: string
}

/** What to do about a failure; a platform's own codes are mapped to it in one table per platform. */
export type PlatformErrorClass =
  /** Access token bad or expired: refresh once, then try again. */
  | 'token'
  /** The grant is dead: the user must link again. */
  | 'grant'
  /** The developer credentials are wrong. */
  | 'client'
  /** A scope or feature is missing. */
  | 'permission'
  /** The day's quota is used: wait for the bucket's reset. */
  | 'quota'
  /** Too fast: wait `retryAfterMs`, or double the wait. */
  | 'rate'
  | 'not_found'
  /** Our question is wrong: never the same again. */
  | 'bad_request'
  /** The account has too few viewers or the like for this number; it is healthy. */
  | 'threshold'
  /** The platform failed; try again later. */
  | 'server'
  /** No whole answer came. */
  | 'network'

/** A platform's refusal or failure. The message is a sentence for people; it never holds a token. */
export class PlatformError extends Error {
  override readonly name = 'PlatformError'
  readonly platform: Platform
  readonly class: PlatformErrorClass
  /** The platform's own code, e.g. `quotaExceeded`, `190/463`. */
  readonly code: string
  /** From `Retry-After` or the usage headers; null when the platform did not say. */
  readonly retryAfterMs: number | null

  constructor(o: {
    platform: Platform
    class: PlatformErrorClass
    code: string
    message: string
    retryAfterMs?: number | null
    cause?: unknown
  }) {
    super(o.message, o.cause === undefined ? undefined : { cause: o.cause })
    this.platform = o.platform
    this.class = o.class
    this.code = o.code
    this.retryAfterMs = o.retryAfterMs ?? null
  }
}

/** Tokens as a platform gave them. Null: not given (never: empty). */
export interface TokenSet {
  readonly accessToken: string
  /** Null keeps the one that is stored. */
  readonly refreshToken: string | null
  readonly expiresAtMs: number | null
  readonly refreshExpiresAtMs: number | null
  /** What the user granted, which may be less than was asked. Null when the answer does not say: what is stored stays. */
  readonly scopes: readonly string[] | null
}

export interface AuthorizationRequest {
  readonly credentials: DeveloperCredentials
  readonly redirectUri: string
  readonly state: string
  readonly scopes: readonly string[]
  /** 43 to 128 unreserved characters; the client makes the challenge in its platform's way, or leaves it out. */
  readonly codeVerifier: string
}

/** Whether developer credentials are good, with the platform's own reason in plain words. */
export interface Verdict {
  readonly status: 'valid' | 'invalid' | 'inconclusive'
  readonly reason: string | null
}

/** The OAuth side of a platform, for one kind of credentials. */
export interface PlatformAuth {
  readonly platform: Platform
  readonly kinds: readonly CredentialKind[]
  /** All that Cliptape can use, for the kind. */
  scopesOf(kind: CredentialKind): readonly string[]
  /** Where the user's browser is sent. */
  authorizationUrl(request: AuthorizationRequest): string
  /** Reads the query of the address the browser came back with (its fragment and stray suffixes are harmless). */
  readCallback(query: Readonly<Record<string, string>>): { code: string } | { error: string; description: string }
  /** @throws PlatformError */
  exchangeCode(request: Omit<AuthorizationRequest, 'state' | 'scopes'> & { readonly code: string }): Promise<TokenSet>
  /**
   * @param tokens what is stored. Instagram prolongs its access token, the others use a refresh token.
   * @throws PlatformError grant when the user must link again
   */
  refresh(credentials: DeveloperCredentials, tokens: StoredTokens): Promise<TokenSet>
  /** Best effort where the platform documents no way. @throws PlatformError */
  revoke(credentials: DeveloperCredentials, tokens: StoredTokens): Promise<void>
  /** The cheap probe that needs no user. Never throws for a refusal. */
  validate(credentials: DeveloperCredentials): Promise<Verdict>
}

export interface StoredTokens {
  readonly accessToken: string
  readonly refreshToken: string | null
  /** When the access token was issued: Instagram's may be prolonged after 24 h. */
  readonly issuedAtMs: number
}

/**
 * How a data call proves who asks. Where `scopes` are given, a call asks only for what they allow, and one that they do not
 * allow at all is refused before it is made.
 */
export type DataAccess = (
  | { readonly accessToken: string; readonly scopes?: readonly string[] | null }
  | { readonly apiKey: string }
) & {
  /** Told before each request beyond those that `cost` named; rejects where nothing is left to pay them with. */
  readonly payMore?: (units: number) => Promise<void>
}

/** A counter: null is not provided. */
export type Count = bigint | null

/** A counter that a platform gave and that can be none: below zero, no whole number, or beyond 2^63. */
export interface OddCount {
  /** Which of ours it would be, e.g. `views`. */
  readonly name: string
  /** As the platform gave it, at most 100 characters. */
  readonly given: string
}

export interface AccountReading {
  readonly platform: Platform
  /** The platform's id of the account: channel id, open_id, professional account id. */
  readonly creatorId: string
  readonly name: string
  /** Without `@`; empty when not provided. */
  readonly handle: string
  readonly avatarUrl: string
  readonly followers: Count
  readonly views: Count
  readonly videos: Count
  readonly likes: Count
  readonly observedAtMs: number
  /** e.g. `channels.list`. */
  readonly endpoint: string
  /** YouTube's uploads playlist; null elsewhere. */
  readonly uploadsId: string | null
  /** Counters that are null because what was given can be none. */
  readonly odd: readonly OddCount[]
}

/** What decides which metrics may be asked of a post. */
export interface PostTraits {
  /** The platform's own word for what it is, e.g. `REELS`; empty where it has none, or does not say. */
  readonly product: string
  /** Metrics that the platform refuses of this post: they are never asked for again. */
  readonly refusedMetrics: readonly string[]
}

export interface PostReading extends PostTraits {
  readonly platform: Platform
  readonly videoId: string
  readonly creatorId: string
  /** Where the reading names it; else empty. */
  readonly creatorName: string
  /** Everybody may see it; false only where the platform says that it is private or unlisted. */
  readonly isPublic: boolean
  readonly kind: 'clip' | 'vod' | 'stream'
  readonly title: string
  readonly url: string
  readonly thumbnailUrl: string
  readonly publishedAtMs: number | null
  /** When a broadcast ended. */
  readonly endedAtMs: number | null
  readonly durationSeconds: number | null
  readonly category: string
  readonly tags: readonly string[]
  readonly views: Count
  readonly likes: Count
  readonly comments: Count
  readonly shares: Count
  readonly saves: Count
  /** Counters that are null because what was given can be none. */
  readonly odd: readonly OddCount[]
  readonly observedAtMs: number
  readonly endpoint: string
}

export interface Page<T> {
  readonly items: readonly T[]
  /** The cursor of the following page, null at the end. A platform may give the asked one again: bound the pages. */
  readonly next: string | null
  /** Asked ids that did not come. */
  readonly missing: readonly string[]
  /** How much of its rate limit the platform says is used, in per cent; null: it did not say. Slow down at 75. */
  readonly usagePercent: number | null
}

/** What an account gained in one day of the platform (a day in California). */
export interface DayReading {
  readonly platform: Platform
  readonly creatorId: string
  /** e.g. `2026-11-20`. */
  readonly day: string
  readonly views: Count
  readonly likes: Count
  readonly comments: Count
  readonly shares: Count
  readonly saves: Count
  readonly watchMinutes: Count
  readonly followersGained: Count
  readonly followersLost: Count
  readonly observedAtMs: number
  readonly endpoint: string
}

/** Days from the first to the last, both included, e.g. `2026-11-01`. */
export interface DayRange {
  readonly from: string
  readonly to: string
}

/** How a person names a creator: an address, `@handle` or id, parsed per platform. */
export type CreatorRef = { readonly by: 'id' | 'handle' | 'username'; readonly value: string }

/** Which chart: of all in a country, or of one category. */
export interface ChartRef {
  /** ISO 3166-1, upper case. */
  readonly region: string
  /** The platform's id; null for all. */
  readonly categoryId: string | null
}

/** A category that videos may be given. */
export interface Category {
  readonly id: string
  readonly name: string
  /** Whether videos can have it: only such have a chart. */
  readonly isAssignable: boolean
}

/** One call of a platform's data interface that costs quota: who schedules counts by bucket before calling. */
export interface CallCost {
  /** e.g. `youtube:units`, `youtube:search`, `youtube:stats`, `tiktok:video.list`, `instagram:account`. */
  readonly bucket: string
  readonly units: number
}

export type DataCall =
  | 'account'
  | 'posts'
  | 'metrics'
  | 'details'
  | 'broadcasts'
  | 'creator'
  | 'chart'
  | 'categories'
  | 'daily'
  | 'search'
  | 'file'

/** Where the file of a video is to be had. */
export interface OwnVideo {
  /** It expires, and what it holds may prove who asked: it is never shown or logged. */
  readonly url: string
  /** The address of the interface that named it. */
  readonly namedBy: string
}

/**
 * The data side of a platform. Each call is one request (a second one only where its documentation says so); its cost is
 * known before. Texts of a reading are the platform's, of any length and with any characters; empty ones were not given,
 * and must not replace what is known. @throws PlatformError
 */
export interface PlatformData {
  readonly platform: Platform
  /** Null where the platform has no such call. @param whose some platforms count questions about others in a bucket of their own */
  cost(call: DataCall, whose?: 'own' | 'others'): CallCost | null
  /** All accounts that the token speaks for: several with Facebook Login. */
  accounts(access: DataAccess, cursor: string | null): Promise<Page<AccountReading>>
  /** The account that the token belongs to, or the one of its several that has this id. */
  account(access: DataAccess, creatorId?: string | null): Promise<AccountReading>
  /**
   * The newest posts first.
   * @param via the own account that asks, for somebody else's posts on Instagram
   */
  posts(
    access: DataAccess,
    account: AccountReading,
    cursor: string | null,
    via?: string | null,
  ): Promise<Page<PostReading>>
  /**
   * Counters of at most `metricsMax` posts; other fields may be empty.
   * @param traits what earlier readings told of these posts, by id
   */
  metrics(
    access: DataAccess,
    account: AccountReading,
    videoIds: readonly string[],
    traits?: ReadonlyMap<string, PostTraits>,
  ): Promise<Page<PostReading>>
  readonly metricsMax: number
  /** All that is known of at most 50 posts of anybody; null where `posts` brings it all. */
  details: ((access: DataAccess, videoIds: readonly string[]) => Promise<Page<PostReading>>) | null
  /** Own live broadcasts and their recordings; null where the platform has none. */
  broadcasts: ((access: DataAccess, cursor: string | null) => Promise<Page<PostReading>>) | null
  /** Somebody else's public account; null where the platform gives none. `via` is the own account that asks (Instagram). */
  creator: ((access: DataAccess, ref: CreatorRef, via: string | null) => Promise<AccountReading>) | null
  /** A public chart of a country; null where there is none. @throws PlatformError bad_request for a chart that is not there */
  chart: ((access: DataAccess, chart: ChartRef, cursor: string | null) => Promise<Page<PostReading>>) | null
  /** The categories of a country; null where there are none. */
  categories: ((access: DataAccess, region: string) => Promise<readonly Category[]>) | null
  /**
   * Where the file of an own post's video is, for a while: platforms that give it give a new address each time. Null
   * where they give none.
   * @param videoId of a post that the platform listed as the account's own
   * @throws PlatformError not_found for what is no video, or has no file to be had
   */
  ownVideo: ((access: DataAccess, videoId: string) => Promise<OwnVideo>) | null
  /** The own account by day, at most `dailyMax` days at once; days that are not ready yet are left out. */
  daily: ((access: DataAccess, account: AccountReading, days: DayRange) => Promise<readonly DayReading[]>) | null
  readonly dailyMax: number
  /** @returns null when the text names no creator of this platform */
  parseCreator(text: string): CreatorRef | null
}
