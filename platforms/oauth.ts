import type { Reply, Speech } from './http.ts'
import { quotable, unexpected } from './http.ts'
import { amountAt, at, textAt } from './json.ts'
import type { TokenSet, Verdict } from './port.ts'
import { PlatformError } from './port.ts'

/** What the three platforms' token endpoints share. */

/** No real code, token or secret looks like these. */
export const bogus = 'cliptape-probe-that-is-not-real'

/**
 * The tokens of an answer. Lifetimes are the answer's own, counted from when it was asked for.
 * @param scopes what the answer says was granted
 */
export function tokensIn(
  speech: Speech,
  json: unknown,
  { scopes, askedAtMs }: { scopes: readonly string[] | null; askedAtMs: number },
): TokenSet {
  const accessToken = textAt(json, 'access_token')
  if (accessToken === '') throw unexpected(speech, 'The access token')
  const until = (name: string) => {
    const seconds = amountAt(json, name)
    return seconds === null || seconds === 0 ? null : askedAtMs + seconds * 1000
  }
  return {
    accessToken,
    // An empty one is none: it must never replace one that is stored.
    refreshToken: textAt(json, 'refresh_token') || null,
    expiresAtMs: until('expires_in'),
    refreshExpiresAtMs: until('refresh_expires_in') ?? until('refresh_token_expires_in'),
    scopes,
  }
}

/** What a browser brought back, in the form that all three share. */
export function callbackIn(
  platformName: string,
  query: Readonly<Record<string, string>>,
): { code: string } | { error: string; description: string } {
  const error = query.error ?? query.error_code ?? ''
  if (error !== '') {
    const said = quotable(query.error_description ?? query.error_message ?? query.error_reason ?? '')
    const meaning = callbackErrors[error] ?? `${platformName} sent the browser back with an error.`
    return { error: quotable(error), description: said === '' ? meaning : `${meaning} It says: “${said}”` }
  }
  // Instagram hangs `#_` on; whoever pastes the address brings it along.
  const code = (query.code ?? '').replace(/#_?$/, '')
  if (code !== '') return { code }
  return { error: 'no_code', description: `The address holds no code of ${platformName}: link the account again.` }
}

const callbackErrors: Readonly<Record<string, string>> = {
  access_denied: 'Access was declined on the page of consent.',
  admin_policy_enforced: "The account's administrator does not allow this app.",
  org_internal: 'The app is for accounts of its own organisation alone.',
  redirect_uri_mismatch: 'The redirect address is not registered with the app.',
  invalid_scope: 'The app may not ask for all of these scopes.',
  unauthorized_client: 'The app is not set up for signing in, or not approved.',
  non_sandbox_target: 'This user is not a target user of the sandbox app.',
}

/** Asks a probe: what came, or why it was refused. */
export async function probe(question: () => Promise<Reply>): Promise<Reply | PlatformError> {
  try {
    return await question()
  } catch (error) {
    if (error instanceof PlatformError) return error
    throw error
  }
}

export const valid: Verdict = { status: 'valid', reason: null }

export function invalid(reason: PlatformError | string): Verdict {
  return { status: 'invalid', reason: typeof reason === 'string' ? reason : reason.message }
}

/** A probe that judged nothing: the platform was away, or answered as no document says. */
export function inconclusive(answer: Reply | PlatformError | string): Verdict {
  if (typeof answer === 'string') return { status: 'inconclusive', reason: answer }
  return {
    status: 'inconclusive',
    reason:
      answer instanceof PlatformError
        ? answer.message
        : 'The platform answered in a way that says nothing about the credentials.',
  }
}

/** Whether a probe got a token. */
export function hasToken(answer: Reply | PlatformError): boolean {
  return !(answer instanceof PlatformError) && typeof at(answer.json, 'access_token') === 'string'
}

/** An address of a page of consent. */
export function pageUrl(base: string, query: Readonly<Record<string, string>>): string {
  return `${base}?${new URLSearchParams(query)}`
}

/** Tokens that need no revoking any more are revoked. */
export async function revokedUnlessGone(question: () => Promise<unknown>): Promise<void> {
  try {
    await question()
  } catch (error) {
    if (!(error instanceof PlatformError && (error.class === 'grant' || error.class === 'token'))) throw error
  }
}
