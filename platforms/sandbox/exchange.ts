/** One request and its answer, as the sandbox's endpoints see them. */
export interface Ask {
  readonly method: string
  /** Under the host, e.g. `/youtube/v3/videos`. */
  readonly path: string
  /** Named parts of the path. */
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Of a body that is a form, urlencoded or multipart. */
  readonly form: URLSearchParams
  readonly body: string
  /** In lower case, without parameters; empty when there is none. */
  readonly contentType: string
  header(name: string): string | null
  readonly nowMs: number
  /** The address of the host that was asked, without a slash at the end. */
  readonly baseUrl: string
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly text?: string
  readonly html?: string
}

/** An answer that ends the work on a request at once. */
export class Refusal extends Error {
  readonly answer: Answer

  constructor(answer: Answer) {
    super(`The sandbox refuses with ${answer.status}.`)
    this.answer = answer
  }
}

/** In whose form errors are. */
export type Shape = 'google' | 'google_oauth' | 'tiktok' | 'tiktok_oauth' | 'graph' | 'instagram_oauth' | 'page'

/** An address of a platform. */
export interface Endpoint {
  /** e.g. `youtube.videos.list`: the name that faults and the log use. */
  readonly name: string
  readonly shape: Shape
  /** The real host, which is the first part of the sandbox's path. */
  readonly host: string
  readonly method: 'get' | 'post' | 'delete'
  /** In Express's form. */
  readonly path: string
  /** What is counted and checked before any fault strikes: quotas are spent by broken answers too. */
  readonly admit?: (ask: Ask) => void
  readonly handle: (ask: Ask) => Answer
}

/** The bearer token of a header, or of the parameter that old clients use. */
export function bearerOf(ask: Ask): string | null {
  const header = /^Bearer (.+)$/i.exec(ask.header('authorization') ?? '')?.[1]
  return header ?? ask.query.get('access_token') ?? ask.form.get('access_token')
}

/** A list that came as repeated parameters, with commas, or both. */
export function listOf(query: URLSearchParams, name: string): string[] {
  return query
    .getAll(name)
    .flatMap(value => value.split(','))
    .map(part => part.trim())
    .filter(part => part !== '')
}

export const ok = (json: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  json,
  headers,
})

export const redirect = (location: string): Answer => ({ status: 302, headers: { location } })
