import type { z } from 'zod'
import type { SetTimer } from '../keys/decoder.ts'
import type { HttpClient, HttpResult } from './http-client.ts'

// What the server answers to plain HTTP, kept like a live query: screens say what they show, and it is asked for while
// anybody looks at it. A failure leaves the last good answer.

/** An address that a screen shows. Equal path and query are one resource. */
export interface ResourceQuery<T = unknown> {
  path: string
  query: Readonly<Record<string, string>>
  /** Of the whole answer; one that does not fit counts as a failure. */
  schema: z.ZodType<T>
  /** How often it is asked again while somebody looks; null asks once. */
  everyMs: number | null
  /** The same for what depends on the answer; it goes before `everyMs`. */
  nextMs?(body: T | null): number | null
  /** Takes no token. */
  isOpen?: boolean
  /** Fields whose texts keep their lines, e.g. `sql`. */
  lineFields?: readonly string[]
}

/** What is known of a resource; the same object until that changes. */
export interface Resource<T = unknown> {
  /** `error`: the last attempt failed; `body` may be there from before. */
  status: 'loading' | 'ready' | 'error'
  body: T | null
  /** Why it failed, as a sentence; empty when it did not. */
  message: string
}

/** Reads a resource that the screen has named in `resources`; others are `loading` for ever. */
export type ReadResource = <T>(query: ResourceQuery<T>) => Resource<T>

export interface ResourceClientDeps {
  http: HttpClient
  setTimer: SetTimer
}

interface Entry {
  query: ResourceQuery
  snapshot: Resource
  stopTimer: (() => void) | null
  /** Counts requests: an answer to any but the last one is too late. */
  asked: number
  isWanted: boolean
}

const loading: Resource<never> = { status: 'loading', body: null, message: '' }

/** Keeps resources up to date. `onChange` is told after every change. */
export class ResourceClient {
  readonly #deps: ResourceClientDeps
  readonly #onChange: () => void
  readonly #entries = new Map<string, Entry>()

  constructor(deps: ResourceClientDeps, onChange: () => void) {
    this.#deps = deps
    this.#onChange = onChange
  }

  /** Asks for exactly these: new ones at once; the answers of others are forgotten. */
  want(queries: readonly ResourceQuery[]): void {
    const wanted = new Map(queries.map(query => [keyOf(query), query]))
    for (const [key, entry] of this.#entries) if (!wanted.has(key)) this.#drop(key, entry)
    for (const [key, query] of wanted) {
      if (this.#entries.has(key)) continue
      const entry: Entry = { query, snapshot: loading, stopTimer: null, asked: 0, isWanted: true }
      this.#entries.set(key, entry)
      this.#ask(entry)
    }
  }

  read<T>(query: ResourceQuery<T>): Resource<T> {
    const entry = this.#entries.get(keyOf(query))
    // The entry was found by the address, and its body was checked against the schema of that address.
    return (entry?.snapshot ?? loading) as Resource<T>
  }

  /** Asks again for everything whose path starts so, because it has just been changed. */
  refresh(path = ''): void {
    for (const entry of this.#entries.values()) if (entry.query.path.startsWith(path)) this.#ask(entry)
  }

  close(): void {
    for (const [key, entry] of this.#entries) this.#drop(key, entry)
  }

  #drop(key: string, entry: Entry): void {
    entry.isWanted = false
    entry.stopTimer?.()
    this.#entries.delete(key)
  }

  #ask(entry: Entry): void {
    entry.stopTimer?.()
    entry.stopTimer = null
    entry.asked += 1
    const { query, asked } = entry
    const { http } = this.#deps
    const { path, query: search, lineFields } = query
    const asking =
      query.isOpen === true
        ? http.open.get(path, search)
        : http.get(path, search, lineFields === undefined ? {} : { lineFields })
    void asking.then(result => {
      if (!entry.isWanted || entry.asked !== asked) return
      entry.snapshot = this.#taken(entry, result)
      const nextMs = query.nextMs === undefined ? query.everyMs : query.nextMs(entry.snapshot.body)
      if (nextMs !== null) entry.stopTimer = this.#deps.setTimer(nextMs, () => this.#ask(entry))
      this.#onChange()
    })
  }

  #taken(entry: Entry, result: HttpResult): Resource {
    const { body } = entry.snapshot
    if (!result.ok) return { status: 'error', body, message: result.message }
    const parsed = entry.query.schema.safeParse(result.body)
    if (!parsed.success)
      return { status: 'error', body, message: `The server's answer to ${entry.query.path} was not understood.` }
    return { status: 'ready', body: parsed.data, message: '' }
  }
}

function keyOf({ path, query }: ResourceQuery): string {
  return `${path}?${new URLSearchParams(query)}`
}
