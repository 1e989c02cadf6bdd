import { z } from 'zod'
import {
  EmailOnlyRequestSchema,
  GoogleExchangeRequestSchema,
  GoogleSignInRequestSchema,
  LoginRequestSchema,
  PasswordChangeRequestSchema,
  PasswordResetRequestSchema,
  RefreshRequestSchema,
  RegisterRequestSchema,
  SessionSchema,
  SignInOptionsSchema,
  UserSchema,
  VerifyEmailRequestSchema,
} from '../../../contracts/accounts.ts'
import { AppError } from '../../../contracts/errors.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { googleExchange, googleSignIn } from './google-sign-in.ts'
import { askVerification, forgotPassword, linkPaths, resetPassword, verifyEmail } from './mail-links.ts'
import { outcomePage, pageHeaders, resetPage, verifyPage } from './pages.ts'
import { changePassword, login, logout, readUser, refresh, register } from './service.ts'

const html = { contentType: 'text/html; charset=utf-8' } as const
const LinkSchema = z.strictObject({ token: z.string().min(1).max(2048) })
/** A password that is refused is said on the page, so it is checked by the verb and not here. */
const ResetFormSchema = z.strictObject({ token: z.string().min(1).max(2048), new_password: z.string().max(1000) })

/** Registering, signing in and out, and what mails lead to. */
export const accountRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/auth/options',
    summary: 'What a sign-in screen may offer',
    auth: 'open',
    answer: SignInOptionsSchema,
    handle: async ({ accounts }) => ({
      json: {
        registration: accounts.registration === 'open',
        googleClientId: accounts.google?.clientId ?? null,
      },
    }),
  }),
  route({
    method: 'post',
    path: '/api/auth/register',
    summary: 'Make an account and sign in',
    description: '409 for an address that has an account; 403 where registration is closed.',
    auth: 'open',
    status: 201,
    body: RegisterRequestSchema,
    errors: ['CONFLICT'],
    answer: SessionSchema,
    handle: async (deps, { body }, context) => ({ json: await register(deps, body, context) }),
  }),
  route({
    method: 'post',
    path: '/api/auth/login',
    summary: 'Sign in with a password',
    description:
      'The access token lives for 15 minutes. 401 for an unknown address and for a wrong password alike; after several attempts 429 with Retry-After.',
    auth: 'open',
    body: LoginRequestSchema,
    errors: ['AUTH_REQUIRED'],
    answer: SessionSchema,
    handle: async (deps, { body }, context) => ({ json: await login(deps, body, context) }),
  }),
  route({
    method: 'post',
    path: '/api/auth/refresh',
    summary: 'The next tokens of a session',
    description:
      'Each refresh token is used once. The same one within ten seconds gets the same answer again; later it counts as stolen, and the session ends.',
    auth: 'open',
    body: RefreshRequestSchema,
    errors: ['AUTH_REQUIRED'],
    answer: SessionSchema,
    handle: async (deps, { body }, context) => ({ json: await refresh(deps, body.refresh_token, context) }),
  }),
  route({
    method: 'post',
    path: '/api/auth/logout',
    summary: 'Sign out',
    description: 'Ends the session of the access token: its tokens are refused within a second, its WebSockets close.',
    auth: ['jwt'],
    answer: null,
    handle: async (deps, _input, context) => {
      await logout(deps, ownerOf(context), context)
      return { empty: true }
    },
  }),
  route({
    method: 'get',
    path: '/api/auth/user',
    summary: 'Who is signed in',
    auth: ['jwt'],
    answer: UserSchema,
    handle: async (deps, _input, context) => ({ json: await readUser(deps, ownerOf(context)) }),
  }),
  route({
    method: 'post',
    path: '/api/auth/password',
    summary: 'Change the password',
    description: 'Ends all other sessions. 403 when the present password is wrong; 409 for an account without one.',
    auth: ['jwt'],
    body: PasswordChangeRequestSchema,
    answer: null,
    handle: async (deps, { body }, context) => {
      await changePassword(deps, ownerOf(context), body, context)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/auth/password/forgot',
    summary: 'Send a link that sets another password',
    description: 'Answers the same whether the address has an account or not. 501 where no mail is sent.',
    auth: 'open',
    body: EmailOnlyRequestSchema,
    errors: ['NOT_CONFIGURED'],
    answer: null,
    handle: async (deps, { body }, context) => {
      await forgotPassword(deps, body.email, context)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/auth/password/reset',
    summary: 'Set the password with the token of such a link',
    description: 'Ends all sessions, and verifies the address. The token is good once, for an hour.',
    auth: 'open',
    body: PasswordResetRequestSchema,
    answer: null,
    handle: async (deps, { body }, context) => {
      await resetPassword(deps, body, context)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/auth/verify-email',
    summary: 'Verify the address with the token of a link',
    description: 'The token is good once, for 24 hours.',
    auth: 'open',
    body: VerifyEmailRequestSchema,
    answer: null,
    handle: async (deps, { body }, context) => {
      await verifyEmail(deps, body.token, context)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/auth/verify-email/send',
    summary: 'Send that link again',
    description: '409 when the address is verified already; 501 where no mail is sent.',
    auth: ['jwt'],
    errors: ['NOT_CONFIGURED'],
    answer: null,
    handle: async (deps, _input, context) => {
      await askVerification(deps, ownerOf(context), context)
      return { empty: true }
    },
  }),
  route({
    method: 'post',
    path: '/api/auth/google',
    summary: 'Sign in with Google',
    description:
      '`access_token` is an ID token of Google. Links the account of the same address when both sides have verified it (409 otherwise), or makes one. 400 for a token that fails, 501 where Google is not set up.',
    auth: 'open',
    body: GoogleSignInRequestSchema,
    errors: ['CONFLICT', 'NOT_CONFIGURED'],
    answer: SessionSchema,
    handle: async (deps, { body }, context) => ({ json: await googleSignIn(deps, body, context) }),
  }),
  route({
    method: 'post',
    path: '/api/auth/google/exchange',
    summary: 'Sign in with a code of Google',
    description:
      "For programs on the user's machine: the code that the browser brought to their loopback address, with the PKCE verifier.",
    auth: 'open',
    body: GoogleExchangeRequestSchema,
    errors: ['CONFLICT', 'NOT_CONFIGURED'],
    answer: SessionSchema,
    handle: async (deps, { body }, context) => ({ json: await googleExchange(deps, body, context) }),
  }),
  route({
    method: 'get',
    path: linkPaths.verify_email,
    summary: 'The page that a mailed link opens, to verify an address',
    auth: 'open',
    query: LinkSchema,
    answer: html,
    handle: async (_deps, { query }) => htmlAnswer(verifyPage(query.token)),
  }),
  route({
    method: 'post',
    path: linkPaths.verify_email,
    summary: 'What that page sends',
    auth: 'open',
    form: true,
    body: LinkSchema,
    answer: html,
    handle: async (deps, { body }, context) => {
      const refusal = await refusalOf(verifyEmail(deps, body.token, context))
      return refusal
        ? htmlAnswer(outcomePage('The address was not verified', refusal.message), refusal.status)
        : htmlAnswer(outcomePage('Verified', 'Your address is verified: you may close this page.'))
    },
  }),
  route({
    method: 'get',
    path: linkPaths.reset_password,
    summary: 'The page that a mailed link opens, to set another password',
    auth: 'open',
    query: LinkSchema,
    answer: html,
    handle: async (_deps, { query }) => htmlAnswer(resetPage(query.token)),
  }),
  route({
    method: 'post',
    path: linkPaths.reset_password,
    summary: 'What that page sends',
    auth: 'open',
    form: true,
    body: ResetFormSchema,
    answer: html,
    handle: async (deps, { body }, context) => {
      const asked = PasswordResetRequestSchema.safeParse(body)
      if (!asked.success) {
        return htmlAnswer(resetPage(body.token, 'A password has 10 to 200 characters: choose another one.'), 400)
      }
      const refusal = await refusalOf(resetPassword(deps, asked.data, context))
      return refusal
        ? htmlAnswer(outcomePage('The password was not set', refusal.message), refusal.status)
        : htmlAnswer(outcomePage('Done', 'Your password is set: sign in with it. All sessions were ended.'))
    },
  }),
]

function htmlAnswer(body: string, status = 200): Answer {
  return { body, status, contentType: html.contentType, headers: pageHeaders }
}

/** What a person did wrong, for a page; anything else takes the way of every error. */
async function refusalOf(work: Promise<void>): Promise<AppError | null> {
  try {
    await work
    return null
  } catch (error) {
    if (error instanceof AppError && error.status < 500) return error
    throw error
  }
}
