import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Scope } from '../../contracts/api-keys.ts'
import type { ErrorCode } from '../../contracts/errors.ts'
import type { AuthScheme, Principal } from '../auth/authenticator.ts'
import type { ServerDeps } from '../deps.ts'
import type { SharedAnswer } from '../features/shared-answers.ts'
import type { Caller } from './caller.ts'
import { parseInput } from './parse-input.ts'

/**
 * An address as data: what it takes, what it gives, who may call it. The Express app, `/openapi.json`, `/docs` and
 * `docs/api.md` are all made from the same list of routes.
 */
export interface Route {
  readonly method: Method
  /** Express form: `/api/videos/:videoId`. */
  readonly path: string
  readonly summary: string
  /** More for the documentation, in plain sentences. */
  readonly description: string
  readonly auth: readonly AuthScheme[] | 'open'
  /** What a key must be allowed to do; null where no key is taken, or any key is good enough. */
  readonly scope: Scope | null
  /** Who may ask; null for everybody with a good credential. */
  readonly roles: readonly Principal['role'][] | null
  /** Of a success, e.g. 201. */
  readonly status: number
  /** A POST that changes nothing: it takes no Idempotency-Key. */
  readonly isRead: boolean
  /** The answer holds what is shown once: an Idempotency-Key for it must not be one that could be guessed. */
  readonly hasSecretAnswer: boolean
  readonly params: z.ZodType | null
  readonly query: z.ZodType | null
  readonly body: z.ZodType | null
  /** Nothing in the body has to be there, so the body need not be there either. */
  readonly isBodyOptional: boolean
  /** The body comes from a form of a page (`application/x-www-form-urlencoded`), not as JSON. */
  readonly isForm: boolean
  /** What its verb can refuse with, beside what every address can (`openapi.ts`). */
  readonly errors: readonly ErrorCode[]
  /** The answer is a file, of which parts may be asked for: 206 and 416 are answers as well. */
  readonly servesRanges: boolean
  /** The answer has an entity tag: who has it already is told so, with 304. */
  readonly hasEtag: boolean
  /** Without a content type there is no body. */
  readonly answer: { readonly contentType: string | null; readonly schema: z.ZodType | null }
  /** Of the same answer in other forms, where the caller may ask for one. */
  readonly otherContentTypes: readonly string[]
  /** Parses and answers. The raw input is whatever the transport found. */
  run(deps: ServerDeps, raw: RawInput, context: RouteContext): Promise<Answer>
}

export interface RawInput {
  /** Path and query as they came. */
  readonly address: string
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** `principal` is present on every route that is not open. */
export interface RouteContext extends Caller {
  /** A request header by its lower-case name. */
  header(name: string): string | undefined
  /** Fires when the caller has gone away before the answer was complete. */
  readonly signal: AbortSignal
}

export type Answer =
  | { readonly json: unknown; readonly status?: number; readonly headers?: Record<string, string> }
  /** Nothing to say: 204. */
  | { readonly empty: true; readonly headers?: Record<string, string> }
  /** JSON that several callers share, with an entity tag: who has it already is told so. */
  | { readonly shared: SharedAnswer }
  | {
      readonly body: string | Readable
      readonly contentType: string
      readonly status?: number
      readonly headers?: Record<string, string>
    }

const nothing = z.strictObject({})

/** Declares a route; the handler gets its inputs parsed and typed. What is not declared is refused by name. */
export function route<
  P extends z.ZodType = typeof nothing,
  Q extends z.ZodType = typeof nothing,
  B extends z.ZodType = typeof nothing,
>(o: {
  method: Method
  path: string
  summary: string
  description?: string
  auth: readonly AuthScheme[] | 'open'
  scope?: Scope
  /** Everybody with a good credential unless told. */
  roles?: readonly Principal['role'][]
  /** 200 unless told; 204 when there is no answer to send. */
  status?: number
  isRead?: boolean
  hasSecretAnswer?: boolean
  params?: P
  query?: Q
  body?: B
  /** The body comes from a form of a page. */
  form?: boolean
  errors?: readonly ErrorCode[]
  servesRanges?: boolean
  hasEtag?: boolean
  otherContentTypes?: readonly string[]
  /** Of the JSON answer; a content type alone for anything else; null for none. */
  answer: z.ZodType | { contentType: string } | null
  handle(
    deps: ServerDeps,
    input: { params: z.output<P>; query: z.output<Q>; body: z.output<B> },
    context: RouteContext,
  ): Promise<Answer>
}): Route {
  const answer =
    o.answer instanceof z.ZodType
      ? { contentType: 'application/json', schema: o.answer }
      : { contentType: o.answer?.contentType ?? null, schema: null }
  return {
    method: o.method,
    path: o.path,
    summary: o.summary,
    description: o.description ?? '',
    auth: o.auth,
    scope: o.scope ?? null,
    roles: o.roles ?? null,
    status: o.status ?? (o.answer === null ? 204 : 200),
    isRead: o.isRead ?? o.method === 'get',
    hasSecretAnswer: o.hasSecretAnswer ?? false,
    params: o.params ?? null,
    query: o.query ?? null,
    body: o.body ?? null,
    isBodyOptional: o.body?.safeParse({}).success ?? false,
    isForm: o.form ?? false,
    errors: o.servesRanges ? [...(o.errors ?? []), 'RANGE_NOT_SATISFIABLE'] : (o.errors ?? []),
    servesRanges: o.servesRanges ?? false,
    hasEtag: o.hasEtag ?? false,
    otherContentTypes: o.otherContentTypes ?? [],
    answer,
    async run(deps, raw, context) {
      const input = {
        params: parse(o.params, raw.params),
        query: parse(o.query, raw.query),
        body: parse<B>(o.body, o.body ? raw.body : {}),
      }
      return await o.handle(deps, input, context)
    },
  }
}

/** A part that is not declared must be empty; its type is then that of the empty object. */
function parse<S extends z.ZodType>(schema: S | undefined, raw: unknown): z.output<S> {
  // Without a schema S is the default type parameter, which is the type of `nothing`: the compiler cannot see that.
  return parseInput(schema ?? (nothing as z.ZodType as S), raw)
}
