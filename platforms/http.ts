import { AppError } from '../contracts/errors.ts'
import type { Platform } from '../contracts/ids.ts'
import type { Clock } from '../core/clock.ts'
import type { Outbound, OutboundAnswer } from '../core/outbound/port.ts'
import { parseJson } from './json.ts'
import { PlatformError, type PlatformErrorClass, type PlatformUrls } from './port.ts'

/** What a client stands on. */
export interface ClientDeps {
  readonly outbound: Pick<Outbound, 'fetchConfigured'>
  readonly clock: Clock
  readonly urls: PlatformUrls
}

/** An answer as the tables of errors read it. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Undefined when the body is no JSON. */
  readonly json: unknown
}

/** What an answer means when it is a refusal. */
export interface Failure {
  readonly class: PlatformErrorClass
  /** The platform's own code. */
  readonly code: string
  /** The platform's own words; empty when there are none. */
  readonly says: string
  /** What to do, as a sentence, where the class alone does not say it. */
  readonly advice?: string
  /** What the platform says of waiting beside `Retry-After`. */
  readonly waitMs?: number | null
}

/** How one platform speaks. */
export interface Speech {
  readonly platform: Platform
  /** e.g. `TikTok`. */
  readonly name: string
  /** Null when the answer is no refusal. Its JSON was read. */
  failureIn(reply: Reply): Failure | null
}

export interface Question {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly query?: Readonly<Record<string, string | null>>
  /** A bearer token. */
  readonly bearer?: string
  /** Google's API key. */
  readonly key?: string
  readonly form?: Readonly<Record<string, string>>
  /** JSON, as text. */
  readonly body?: string
  /** Whether success may come without JSON. */
  readonly mayBeEmpty?: boolean
}

const timeoutMs = 20_000
/** Fifty videos with long titles and many tags. */
const answerBytesMax = 8 * 1024 * 1024
const retryAfterMsMax = 24 * 3_600_000

/**
 * One request and its answer's JSON; undefined only when it may be empty.
 * @throws PlatformError
 */
export async function ask(deps: ClientDeps, speech: Speech, question: Question): Promise<Reply> {
  const secrets = secretsOf(question)
  const answer = await send(deps, speech, question)
  const reply = { status: answer.status, headers: answer.headers, json: jsonIn(answer.body) }
  const failure = failureIn(speech, reply)
  if (failure !== null) throw refusal(speech, failure, secrets, retryAfterMs(answer.headers, deps.clock.nowMs()))
  const isEmpty = question.mayBeEmpty && answer.body.trim() === ''
  if (!isEmpty && (typeof reply.json !== 'object' || reply.json === null || Array.isArray(reply.json)))
    throw refusal(speech, { class: 'network', code: 'broken_answer', says: '' }, secrets, null)
  return reply
}

/** For an answer that says success and lacks what it must have. */
export function unexpected(speech: Speech, what: string): PlatformError {
  return refusal(
    speech,
    { class: 'server', code: 'unexpected_answer', says: '', advice: `${what} is missing.` },
    [],
    null,
  )
}

/** A refusal that we know without asking. */
export function refusedAhead(
  speech: Speech,
  failure: Omit<Failure, 'says'> & { readonly waitMs?: number },
): PlatformError {
  return refusal(speech, { ...failure, says: '' }, [], null)
}

/** The bearer token; YouTube alone takes keys. @throws PlatformError when there is a key instead, or a scope is missing */
export function bearerOf(
  speech: Speech,
  access: { readonly accessToken: string; readonly scopes?: readonly string[] | null } | { readonly apiKey: string },
  scope: string | null = null,
): string {
  if (!('accessToken' in access))
    throw refusedAhead(speech, {
      class: 'permission',
      code: 'account_needed',
      advice: 'This needs a linked account: an API key is not enough.',
    })
  if (scope !== null && access.scopes && !access.scopes.includes(scope))
    throw refusedAhead(speech, {
      class: 'permission',
      code: 'scope_missing',
      advice: `The scope ${scope} was not granted: link the account again and allow it.`,
    })
  return access.accessToken
}

/** What of a question must not appear in a message. */
function secretsOf({ bearer, key, form, query }: Question): string[] {
  const named = [form, query].flatMap(fields => secretNames.map(name => fields?.[name]))
  return [bearer, key, ...named].filter(one => typeof one === 'string')
}

const secretNames = [
  'client_secret',
  'code',
  'code_verifier',
  'token',
  'access_token',
  'refresh_token',
  'fb_exchange_token',
] as const

async function send(deps: ClientDeps, speech: Speech, question: Question): Promise<OutboundAnswer> {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(question.query ?? {})) if (value !== null) query.set(name, value)
  const url = query.size === 0 ? question.url : `${question.url}?${query}`
  const body = question.form ? new URLSearchParams(question.form).toString() : question.body
  try {
    return await deps.outbound.fetchConfigured(url, {
      method: question.method ?? 'GET',
      headers: {
        accept: 'application/json',
        ...(question.bearer === undefined ? {} : { authorization: `Bearer ${question.bearer}` }),
        // In a header rather than in the address: addresses end up in logs.
        ...(question.key === undefined ? {} : { 'x-goog-api-key': question.key }),
        ...(question.form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...(question.body === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }),
      },
      ...(body === undefined ? {} : { body }),
      timeoutMs,
      answerBytesMax,
    })
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'UNAVAILABLE')) throw error
    // Its message names the host and the reason, and nothing of the address behind.
    throw new PlatformError({
      platform: speech.platform,
      class: 'network',
      code: 'unreachable',
      message: `${opening.network(speech.name)}: ${error.message}`,
      cause: error,
    })
  }
}

function jsonIn(body: string): unknown {
  try {
    return parseJson(body)
  } catch {
    return undefined
  }
}

/** An answer that is no JSON is not the platform's interface speaking: a proxy, or half an answer. Its 4xx condemns nothing. */
function failureIn(speech: Speech, reply: Reply): Failure | null {
  const { status } = reply
  const says = ''
  // A redirect that was not followed, and the empty 304 that nobody asked for.
  if (status >= 300 && status < 400) return { class: 'network', code: `broken_answer/${status}`, says }
  if (reply.json !== undefined) return speech.failureIn(reply)
  if (status < 300) return null
  if (status === 429) return { class: 'rate', code: '429', says }
  if (status >= 500) return { class: 'server', code: String(status), says }
  return { class: 'network', code: `broken_answer/${status}`, says }
}

/** The class of a status, for errors that no table knows: an unknown 4xx is permanent. */
export function classOfStatus(status: number): PlatformErrorClass {
  if (status === 401) return 'token'
  if (status === 403) return 'permission'
  if (status === 404 || status === 410) return 'not_found'
  if (status === 429) return 'rate'
  return status >= 400 && status < 500 && status !== 408 ? 'bad_request' : 'server'
}

const opening: Readonly<Record<PlatformErrorClass, (name: string) => string>> = {
  token: name => `${name} does not accept the access token`,
  grant: name => `${name} no longer knows this link: the account must be linked again`,
  client: name => `${name} does not accept the developer credentials`,
  permission: name => `${name} does not permit this`,
  quota: name => `The day's quota of these credentials at ${name} is used`,
  rate: name => `${name} asks for fewer requests`,
  not_found: name => `${name} has nothing by that name`,
  bad_request: name => `${name} does not take this question`,
  threshold: name => `${name} does not give this number for this account`,
  server: name => `${name} failed to answer`,
  network: name => `No whole answer came from ${name}`,
}

function refusal(speech: Speech, failure: Failure, secrets: readonly string[], headerMs: number | null): PlatformError {
  const says = quotable(failure.says, secrets)
  const code = quotable(failure.code, secrets)
  const sentence = `${opening[failure.class](speech.name)} (${code})${says === '' ? '' : `: “${says}”`}`
  return new PlatformError({
    platform: speech.platform,
    class: failure.class,
    code,
    message: `${sentence}${/[.!?]”?$/.test(sentence) ? '' : '.'}${failure.advice === undefined ? '' : ` ${failure.advice}`}`,
    retryAfterMs: headerMs ?? failure.waitMs ?? null,
  })
}

/** A platform's words fit for a log and a screen: short, one line, no markup, no control characters, none of our secrets. */
export function quotable(text: string, secrets: readonly string[] = []): string {
  let plain = text.slice(0, 4000)
  // Before anything else is changed or cut: Meta repeats a bad token in its message.
  for (const secret of secrets) if (secret.length >= 4) plain = plain.replaceAll(secret, '…')
  return plain
    .replace(/<\/?[a-z][^>]{0,300}>/gi, '')
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, 300)
}

/** `Retry-After`, in seconds or as a date, in ms from now. */
function retryAfterMs(headers: Readonly<Record<string, string>>, nowMs: number): number | null {
  const text = headers['retry-after']?.trim() ?? ''
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(/[a-z]/i.test(text) ? text : '') - nowMs
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMsMax) : null
}
