import { creatorId, splitId, VideoIdSchema } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey, videoDescriptions } from '../measures/details.ts'

/** Videos that are asked about at once. */
const pageMax = 1000

/** What is known of the post that media is attached to. `creatorId` is a wire id. */
interface Post {
  readonly title: string
  readonly creatorId: string | null
  readonly publishedMs: number | null
}

/** A VOD of a user's, and whose video it is where the user said so. */
export interface OwnVod {
  readonly vodId: string
  readonly creatorId: string | null
}

/** An account that published a copy, and when. */
export interface CopyPost {
  readonly creatorId: string
  readonly publishedMs: number
}

/** What is known of the posts of some originals and their copies. */
export interface KnownPosts {
  of(vodId: string): Post | null
  /** Whose video an original is: as the user said, else as its post says. */
  makerOf(original: OwnVod): string | null
  /** The copy as one that counts: by a known account that is none of `makers`, at a known instant; else null. */
  counted(copyVodId: string, makers: ReadonlySet<string | null>): CopyPost | null
}

export async function readPosts(
  ctx: AnalyticsContext,
  originals: readonly OwnVod[],
  copyVodIds: readonly string[],
): Promise<KnownPosts> {
  const unsaid = originals.filter(original => original.creatorId === null)
  const posts = await postsOf(ctx, [...copyVodIds, ...unsaid.map(({ vodId }) => vodId)])
  return {
    of: vodId => posts.get(vodId) ?? null,
    makerOf: original => original.creatorId ?? posts.get(original.vodId)?.creatorId ?? null,
    counted(copyVodId, makers) {
      const { creatorId = null, publishedMs = null } = posts.get(copyVodId) ?? {}
      return creatorId === null || publishedMs === null || makers.has(creatorId) ? null : { creatorId, publishedMs }
    },
  }
}

/** Distinct accounts that published after the span's beginning, its end included. */
export function clippersIn(
  posts: readonly CopyPost[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): number {
  const inside = posts.filter(({ publishedMs }) => publishedMs > fromMs && publishedMs <= toMs)
  return new Set(inside.map(({ creatorId }) => creatorId)).size
}

/** The posts of those of the VODs that are indexed videos, by wire id. */
async function postsOf(ctx: AnalyticsContext, vodIds: readonly string[]): Promise<Map<string, Post>> {
  const posts = new Map<string, Post>()
  const indexed = [...new Set(vodIds)].flatMap(vodId => {
    const parsed = VideoIdSchema.safeParse(vodId)
    if (!parsed.success) return []
    const { platform, nativeId } = splitId(parsed.data)
    return [{ vodId, platform, id: nativeId }]
  })
  for (let from = 0; from < indexed.length; from += pageMax) {
    const page = indexed.slice(from, from + pageMax)
    const said = await videoDescriptions(ctx, page)
    for (const { vodId, platform, id } of page) {
      const video = said.get(refKey({ platform, id }))
      if (!video) continue
      posts.set(vodId, {
        title: video.title,
        creatorId: video.creator_id === '' ? null : creatorId(platform, video.creator_id),
        publishedMs: video.published_ms,
      })
    }
  }
  return posts
}
