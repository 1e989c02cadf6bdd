import { z } from 'zod'
import type { Subject } from '../command/subject.ts'
import type { HttpClient, HttpFailure } from './http-client.ts'

const CreatorsSchema = z.object({ data: z.array(z.looseObject({ creatorId: z.string() })) })

/** The creator whom a name means, e.g. `@mrbeast`: the first that the server finds by it. */
export async function findCreator(
  http: HttpClient,
  name: string,
): Promise<{ ok: true; body: Exclude<Subject, { type: 'search' }> } | HttpFailure> {
  const search = name.replace(/^@/, '').toLowerCase()
  const answer = await http.get('/api/creators', { search, limit: '1' })
  if (!answer.ok) return answer
  const [first] = CreatorsSchema.safeParse(answer.body).data?.data ?? []
  if (first !== undefined) return { ok: true, body: { type: 'creator', id: first.creatorId } }
  return { ok: false, message: `Nothing is known by the name ${name}.`, status: 404, code: 'NOT_FOUND' }
}
