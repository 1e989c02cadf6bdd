import { z } from 'zod'
import { CreatorIdSchema, TopicIdSchema, VideoIdSchema } from './ids.ts'
import { trendTypes } from './measures.ts'

/** A video, creator or topic by its type and its id on the wire, as part of something larger. */
export const subjectFields = { type: z.enum(trendTypes), id: z.string().min(1).max(300) }

interface SubjectFields {
  type: (typeof trendTypes)[number]
  id: string
}

const idSchemas = { clips: VideoIdSchema, creators: CreatorIdSchema, topics: TopicIdSchema } as const

/** Refuses an id that is none of its type. */
export function checkSubject({ type, id }: SubjectFields, ctx: z.RefinementCtx): void {
  const parsed = idSchemas[type].safeParse(id)
  if (!parsed.success)
    ctx.addIssue({ code: 'custom', path: ['id'], message: parsed.error.issues[0]?.message ?? 'is not valid' })
}

/** The same subject by the one id that everything else knows it by: `#Cats` is the topic `cats`. */
export function withKnownId<T extends SubjectFields>(subject: T): T {
  return { ...subject, id: idSchemas[subject.type].safeParse(subject.id).data ?? subject.id }
}
