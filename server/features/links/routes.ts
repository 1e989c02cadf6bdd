import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import { PlatformSchema } from '../../../contracts/ids.ts'
import {
  CompleteLinkRequestSchema,
  LinkRequestSchema,
  LinkStateSchema,
  PlatformAccountSchema,
  StartedLinkSchema,
  UnlinkedSchema,
} from '../../../contracts/platform-accounts.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { outcomePage, pageHeaders } from '../accounts/pages.ts'
import { listAccounts, unlinkAccount } from './accounts.ts'
import { completeLink, finishLink, readLink, shortPath, startLink, useTicket } from './service.ts'

const html = { contentType: 'text/html; charset=utf-8' } as const
const PlatformParamsSchema = z.strictObject({ platform: PlatformSchema })
/** Platforms add parameters of their own. */
const CallbackSchema = z
  .object({ state: z.string().max(500).optional(), code: z.string().max(8192).optional() })
  .catchall(z.string().max(8192))

/** The page at the end of a link that came back to this server. */
const donePath = '/auth/linked'

/** Linking accounts on the platforms, with a user's own developer credentials. `docs/linking.md` has the whole way. */
export const linkRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/auth/link/:platform',
    summary: 'Link an account of yours',
    description:
      'Open `authorizationUrl`, or `ticketUrl` once, in a browser within ten minutes. Where `comesBack` is false the browser ends at an address that it cannot open: send that to `…/complete`. `account_id` names the account that is to be linked again; the browser must be signed in as that one. `scopes` asks for less than all. At the end the browser goes to `redirect_url`, with `link_id`, `platform` and `status`. 409 without good developer credentials.',
    auth: ['jwt'],
    status: 201,
    hasSecretAnswer: true,
    params: PlatformParamsSchema,
    body: LinkRequestSchema,
    errors: ['NOT_CONFIGURED'],
    answer: StartedLinkSchema,
    handle: async (deps, { params, body }, context) => ({
      json: await startLink(deps, context, params.platform, body),
    }),
  }),
  route({
    method: 'get',
    path: '/api/auth/link/:platform',
    summary: 'Go to the page of the platform, once',
    auth: 'open',
    status: 302,
    params: PlatformParamsSchema,
    query: z.strictObject({ ticket: z.string().min(1).max(200) }),
    errors: ['CONFLICT', 'NOT_CONFIGURED'],
    answer: html,
    handle: (deps, { params, query }) =>
      orPage('The link cannot be opened', async () => redirectTo(await useTicket(deps, params.platform, query.ticket))),
  }),
  route({
    method: 'get',
    path: shortPath,
    summary: 'Go to the page of the platform, once, by a short address',
    description: 'For a QR code: the same as with `ticket` above.',
    auth: 'open',
    status: 302,
    query: z.strictObject({ t: z.string().min(1).max(200) }),
    errors: ['CONFLICT', 'NOT_CONFIGURED'],
    answer: html,
    handle: (deps, { query }) =>
      orPage('The link cannot be opened', async () => redirectTo(await useTicket(deps, null, query.t))),
  }),
  route({
    method: 'get',
    path: '/api/auth/callback/:platform',
    summary: 'Where platforms send the browser back to',
    description: 'Register this address with the platform: `cliptape doctor` prints it in full.',
    auth: 'open',
    status: 302,
    params: PlatformParamsSchema,
    query: CallbackSchema,
    errors: ['CONFLICT', 'NOT_CONFIGURED'],
    answer: html,
    handle: (deps, { params, query }, context) =>
      orPage('The account was not linked', async () => {
        const asked = Object.fromEntries(Object.entries(query).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])))
        const outcome = await finishLink(deps, context, { platform: params.platform, query: asked, ownerId: null })
        if (outcome.returnUrl !== null) return redirectTo(outcome.returnUrl)
        if ('refusal' in outcome) throw outcome.refusal
        // The code leaves the address bar and the history. PUBLIC_URL may have a path.
        return redirectTo(`../../..${donePath}`)
      }),
  }),
  route({
    method: 'get',
    path: donePath,
    summary: 'The page at the end of a link',
    auth: 'open',
    answer: html,
    handle: async () =>
      page(outcomePage('Done', 'The account is linked: go back to the terminal and close this page.')),
  }),
  route({
    method: 'post',
    path: '/api/auth/link/:platform/complete',
    summary: 'Bring the address at which the browser ended',
    description: 'For platforms that do not send the browser back to this server. The whole address, as it was pasted.',
    auth: ['jwt'],
    params: PlatformParamsSchema,
    body: CompleteLinkRequestSchema,
    errors: ['NOT_CONFIGURED'],
    answer: PlatformAccountSchema,
    handle: async (deps, { params, body }, context) => ({
      json: await completeLink(deps, context, { platform: params.platform, url: body.url }),
    }),
  }),
  route({
    method: 'get',
    path: '/api/auth/links/:linkId',
    summary: 'How a link goes',
    description: 'For whoever waits for the browser. Kept for a day.',
    auth: ['jwt'],
    params: z.strictObject({ linkId: z.uuid() }),
    answer: LinkStateSchema,
    handle: async (deps, { params }, context) => ({ json: await readLink(deps, context, params.linkId) }),
  }),
  route({
    method: 'delete',
    path: '/api/auth/link/:platform/:accountId',
    summary: 'Unlink an account',
    description:
      'Its tokens are revoked at the platform and removed here. Where the platform does not take that, or another linked account needs the grant, `revokedAtPlatform` is false: else end it in your account there.',
    auth: ['jwt'],
    params: z.strictObject({ platform: PlatformSchema, accountId: z.uuid() }),
    answer: UnlinkedSchema,
    handle: async (deps, { params }, context) => ({ json: await unlinkAccount(deps, context, params) }),
  }),
  route({
    method: 'get',
    path: '/api/accounts',
    summary: 'Your accounts on the platforms',
    description: 'Those that are linked, and those that were. `missingScopes` was asked for and not granted.',
    auth: ['jwt'],
    answer: z.object({ data: z.array(PlatformAccountSchema) }),
    handle: async (deps, _input, context) => ({ json: { data: await listAccounts(deps, context) } }),
  }),
]

function redirectTo(url: string): Answer {
  return { body: '', contentType: html.contentType, status: 302, headers: { Location: url } }
}

function page(body: string, status = 200): Answer {
  return { body, status, contentType: html.contentType, headers: pageHeaders }
}

/** What a person can do something about is said on a page; anything else takes the way of every error. */
async function orPage(title: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError && error.code !== 'INTERNAL')
      return page(outcomePage(title, error.message), error.status)
    throw error
  }
}
