import { Readable } from 'node:stream'
import { z } from 'zod'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { AccountExportSchema, exportAccount } from './export.ts'
import { removeAccount } from './remove.ts'

/** The account as a whole: taking everything along, and leaving. */
export const wholeAccountRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/account/export',
    summary: 'Everything that you own here, as one JSON document',
    description:
      'Rows of both stores by table, streamed. Secrets in the vault are named, not opened; hashes of passwords and keys stay here. Once a minute.',
    auth: ['jwt'],
    answer: AccountExportSchema,
    handle: async (deps, _input, context) => ({
      body: Readable.from(await exportAccount(deps, ownerOf(context), context)),
      contentType: 'application/json; charset=utf-8',
      headers: { 'Content-Disposition': 'attachment; filename="cliptape-account.json"' },
    }),
  }),
  route({
    method: 'delete',
    path: '/api/account',
    summary: 'Remove your account and everything that it owns',
    description:
      'For good, in every store. Takes the password, or without one a session that began in the last ten minutes. The owner of an installation cannot be removed.',
    auth: ['jwt'],
    body: z.strictObject({ password: z.string().min(1).max(200).optional() }),
    answer: null,
    handle: async (deps, { body }, context) => {
      await removeAccount(deps, ownerOf(context), context, body.password)
      return { empty: true }
    },
  }),
]
