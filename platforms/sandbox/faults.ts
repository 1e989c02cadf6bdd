import { unit } from './chance.ts'

/** What can go wrong with an answer. */
export type Fault =
  /** The answer comes late. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** A failure in the platform's form; `html` as a proxy in front of it would say it. */
  | { readonly kind: 'status'; readonly status: number; readonly html?: boolean }
  /** The connection ends without an answer. */
  | { readonly kind: 'reset' }
  /** Half of the JSON, as if it were all. */
  | { readonly kind: 'truncate' }
  /** Half of the JSON, then the connection ends. */
  | { readonly kind: 'cut' }
  /** The page that was sent before this one, once more. */
  | { readonly kind: 'duplicate' }
  /** Every counter times this. */
  | { readonly kind: 'counters'; readonly factor: number }
  /** Every counter says this. */
  | { readonly kind: 'odd'; readonly value: string }
  /** Too many requests: `retryAfter` is the header's text; null leaves it out. */
  | { readonly kind: 'rate'; readonly retryAfter: string | null }
  /** Any error of the platform by its name (see refusals.ts), with its own status or another. */
  | { readonly kind: 'error'; readonly name: string; readonly status?: number }
  /** Nothing found, as success. */
  | { readonly kind: 'empty' }

export interface FaultRule {
  /** An endpoint's name, or its beginning and `*`. */
  readonly endpoint: string
  readonly fault: Fault
  /** How many times it strikes; for ever with `Infinity`. Once unless told. */
  readonly times?: number
  /** The part of the requests that it strikes, from 0 to 1; each unless told. */
  readonly part?: number
}

/** The faults that are waiting. Rules are asked in order, and the first that strikes is the one. */
export class Faults {
  readonly #seed: number
  #rules: { rule: FaultRule; left: number }[] = []
  #asked = 0

  constructor(seed: number) {
    this.#seed = seed
  }

  /** @returns takes the rule away again */
  add(rule: FaultRule): () => void {
    const entry = { rule, left: rule.times ?? 1 }
    this.#rules.push(entry)
    return () => {
      this.#rules = this.#rules.filter(one => one !== entry)
    }
  }

  clear(): void {
    this.#rules = []
  }

  /** The fault of this request, if any. */
  next(endpoint: string): Fault | null {
    this.#asked += 1
    for (const [at, entry] of this.#rules.entries()) {
      const { rule } = entry
      if (!matches(rule.endpoint, endpoint) || unit(this.#seed, this.#asked, at) >= (rule.part ?? 1)) continue
      entry.left -= 1
      if (entry.left <= 0) this.#rules.splice(at, 1)
      return rule.fault
    }
    return null
  }
}

/** Rules under which a part of all answers of the data interfaces is broken, each in one of the ways. */
export function weather(part: number): FaultRule[] {
  const faults: Fault[] = [
    { kind: 'latency', ms: 50 },
    { kind: 'status', status: 500 },
    { kind: 'status', status: 503, html: true },
    { kind: 'reset' },
    { kind: 'truncate' },
    { kind: 'cut' },
    { kind: 'duplicate' },
    { kind: 'rate', retryAfter: '1' },
    { kind: 'rate', retryAfter: null },
  ]
  // Each is asked only when those before it passed.
  return faults.map((fault, at) => ({
    endpoint: '*',
    fault,
    times: Number.POSITIVE_INFINITY,
    part: part / faults.length / (1 - (part * at) / faults.length),
  }))
}

function matches(pattern: string, endpoint: string): boolean {
  return pattern.endsWith('*') ? endpoint.startsWith(pattern.slice(0, -1)) : endpoint === pattern
}
