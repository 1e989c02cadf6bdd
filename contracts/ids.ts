import { z } from 'zod'

/**
 * Ids on the wire say their platform: `youtube:dQw4w9WgXcQ`. Inside the stores platform and id are two columns.
 * Topics belong to no platform: their id is the normalised text itself.
 */
export const platforms = ['youtube', 'tiktok', 'instagram'] as const
export const PlatformSchema = z.enum(platforms)
export type Platform = z.infer<typeof PlatformSchema>

const wireId = z
  .string()
  .max(300)
  .regex(/^(youtube|tiktok|instagram):[^\p{Cc}]{1,280}$/u, 'must look like platform:id, e.g. youtube:dQw4w9WgXcQ')

export const VideoIdSchema = wireId.brand<'VideoId'>()
export type VideoId = z.infer<typeof VideoIdSchema>

export const CreatorIdSchema = wireId.brand<'CreatorId'>()
export type CreatorId = z.infer<typeof CreatorIdSchema>

/** A topic: a hashtag or title phrase, lower case, no leading `#`, 1–100 characters, no control characters. */
export const TopicIdSchema = z
  .string()
  .regex(/^[^\p{Cc}]{1,100}$/u, 'must be 1 to 100 printable characters')
  .transform(text => text.toLowerCase().replace(/^#+/, ''))
  .pipe(z.string().min(1))
  .brand<'TopicId'>()

export function videoId(platform: Platform, nativeId: string): VideoId {
  return `${platform}:${nativeId}` as VideoId
}

export function creatorId(platform: Platform, nativeId: string): CreatorId {
  return `${platform}:${nativeId}` as CreatorId
}

/** Splits a wire id at its first colon. The schemas above have made sure that there is one. */
export function splitId(id: VideoId | CreatorId): { platform: Platform; nativeId: string } {
  const colon = id.indexOf(':')
  return { platform: PlatformSchema.parse(id.slice(0, colon)), nativeId: id.slice(colon + 1) }
}

/** A user of this installation: a UUID. The embedded profile's first user is the local owner. */
export const UserIdSchema = z.uuid().brand<'UserId'>()
export type UserId = z.infer<typeof UserIdSchema>
