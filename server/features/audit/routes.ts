import { z } from 'zod'
import { AuditRowSchema } from '../../../contracts/audit.ts'
import { IdPageSchema, readIdCursor, writeIdCursor } from '../../http/id-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { listAudit } from './list.ts'

/** Who changed what on an account. */
export const auditRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/audit',
    summary: 'Changes of your credentials, keys, plans and sharing, newest first',
    description: 'Written together with the change itself. `actor` is the kind of credential, or system.',
    auth: ['jwt'],
    query: IdPageSchema,
    answer: z.object({ data: z.array(AuditRowSchema), nextCursor: z.string().optional() }),
    handle: async (deps, { query }, context) => {
      const page = { limit: query.limit, before: readIdCursor(query.cursor) }
      const { rows, hasMore } = await listAudit(deps.db, ownerOf(context), page)
      const last = rows.at(-1)
      return { json: { data: rows, ...(last && hasMore ? { nextCursor: writeIdCursor(last.id) } : {}) } }
    },
  }),
]
