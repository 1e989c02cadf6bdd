import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { z } from 'zod'
import { type Operation, offenceOf } from './openapi-operations.ts'
import { allowedRequests, hostileRequests, onTheWire } from './openapi-requests.ts'
import type { RawAnswer, RawClient, RawRequest } from './raw-http.ts'
import { hostileTexts } from './schema-arbitrary.ts'

/** One request with what must be true of its answer. */
interface Probe {
  readonly request: RawRequest
  /** Where the document says what may come; null for requests that are no operation's. */
  readonly operation: Operation | null
  /** No credential in it is good: a closed address must say so. */
  readonly isStranger: boolean
}

export interface AttackOptions {
  readonly client: RawClient
  readonly operations: readonly Operation[]
  /** A token that is always good, an access token to take apart, and a good API key with every scope. */
  readonly token: string
  readonly session: string
  readonly key: string
  /** Texts that must be in no answer: secrets, paths, rows of others. */
  readonly secrets: readonly string[]
  readonly count: number
  readonly seed: number
  readonly parallel: number
}

export interface AttackReport {
  readonly requests: number
  readonly byStatus: Readonly<Record<string, number>>
  readonly slowestMs: number
  /** What was wrong, at most fifty; empty is the goal. */
  readonly problems: readonly string[]
  readonly problemCount: number
}

/** What only the inside knows, in the words of our engines and of Node. */
const leaks = [
  /\n\s+at .+:\d+/,
  /node_modules/,
  /SQLSTATE/,
  /DB::Exception/,
  /\$argon2id\$/,
  /BEGIN [A-Z ]*PRIVATE KEY/,
]

/**
 * Sends random requests, so many at a time, and collects every answer that should not have come: a 5xx, one that the
 * document does not know, one with something of the inside in it, or silence for ten seconds.
 */
export async function attack(options: AttackOptions): Promise<AttackReport> {
  const { client, count, seed, parallel } = options
  const byStatus: Record<string, number> = {}
  const problems: string[] = []
  let problemCount = 0
  let slowestMs = 0
  let sent = 0
  const tell = (problem: string, { request }: Probe) => {
    problemCount += 1
    const body = typeof request.body === 'string' ? request.body.slice(0, 300) : ''
    if (problems.length < 50) problems.push(`${problem} for ${request.method} ${request.path.slice(0, 300)} ${body}`)
  }
  const batches = probes(options, seed)
  const work = async () => {
    while (sent < count) {
      sent += 1
      const next = batches.next()
      if (next.done) return
      const startMs = performance.now()
      try {
        const answer = await client.send(next.value.request)
        slowestMs = Math.max(slowestMs, performance.now() - startMs)
        byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1
        const problem = problemOf(next.value, answer, options.secrets)
        if (problem !== null) tell(problem, next.value)
      } catch (error) {
        tell(`No answer (${String(error)})`, next.value)
      }
    }
  }
  await Promise.all(Array.from({ length: parallel }, work))
  return { requests: sent, byStatus, slowestMs: Math.round(slowestMs), problems, problemCount }
}

function problemOf(probe: Probe, answer: RawAnswer, secrets: readonly string[]): string | null {
  const { operation, isStranger } = probe
  // 501 and a server that says it is busy are answers; 503 of anything else is not, in a run without failures.
  const isFailure = answer.status >= 500 && answer.status !== 501 && operation?.path !== '/readyz'
  if (isFailure) return `${answer.status} ${answer.text.slice(0, 200)}`
  const leak = leaks.find(pattern => pattern.test(answer.text))
  if (leak) return `${leak} in ${answer.text.slice(0, 300)}`
  const secret = secrets.find(text => answer.text.includes(text))
  if (secret) return `A secret in ${answer.text.slice(0, 300)}`
  if (isStranger && operation && !operation.isOpen && answer.status !== 401) return `${answer.status} for a stranger`
  if (answer.status >= 400 && !isErrorForm(answer)) return `No error form: ${answer.text.slice(0, 200)}`
  const offence = operation ? offenceOf(operation, answer) : null
  return offence
}

function isErrorForm({ headers, text }: RawAnswer): boolean {
  if (headers.get('content-type')?.startsWith('text/html')) return true
  return text.startsWith('{"error":{"code":"')
}

/** Endless requests, the same for the same seed. Generated in blocks: a block costs less than its requests. */
function* probes(options: AttackOptions, seed: number): Generator<Probe, void> {
  const arbitrary = probeOf(options)
  for (let block = 0; ; block += 1) yield* fc.sample(arbitrary, { seed: seed + block, numRuns: 200 })
}

function probeOf(options: AttackOptions): fc.Arbitrary<Probe> {
  const operation = fc.constantFrom(...options.operations)
  const extra = extraHeaders()
  const good = (one: Operation) =>
    one.isOpen ? {} : one.takesSession ? { authorization: `Bearer ${options.token}` } : { 'x-api-key': options.key }
  const allowed = operation.chain(one =>
    fc.tuple(allowedRequests(one), extra).map(([parts, headers]) => ({
      request: onTheWire(one, parts, { ...headers, ...good(one) }),
      operation: one,
      isStranger: false,
    })),
  )
  const hostile = operation.chain(one =>
    fc.tuple(hostileRequests(one), extra).map(([parts, headers]) => {
      const request = onTheWire(one, parts, { ...headers, ...good(one) })
      // An empty part of a path makes another address of it.
      const isElsewhere = Object.values(parts.params).some(value => value === '' || value === undefined)
      return { request, operation: isElsewhere ? null : one, isStranger: false }
    }),
  )
  const stranger = operation.chain(one =>
    fc.tuple(allowedRequests(one), badCredentials(options)).map(([parts, headers]) => ({
      request: onTheWire(one, parts, headers),
      operation: one,
      isStranger: true,
    })),
  )
  const bomb = operation.chain(one =>
    fc.tuple(allowedRequests(one), bombs).map(([parts, { body, headers }]) => {
      const request = onTheWire(one, { ...parts, body: undefined }, { ...good(one), ...headers })
      return { request: { ...request, body }, operation: one, isStranger: false }
    }),
  )
  const lost = fc
    .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE'), strangePaths)
    .map(([method, path]) => ({
      request: { method, path, headers: { authorization: `Bearer ${options.token}` }, body: null },
      operation: null,
      isStranger: false,
    }))
  return fc
    .oneof(
      { weight: 12, arbitrary: allowed },
      { weight: 55, arbitrary: hostile },
      { weight: 20, arbitrary: stranger },
      { weight: 5, arbitrary: bomb },
      { weight: 8, arbitrary: lost },
    )
    .filter(({ request }) => request.method !== 'HEAD')
}

/** Header values as HTTP allows them; what it does not, no client can send. */
const headerText = fc
  .oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'grapheme-ascii', maxLength: 40 }))
  .map(text => text.replace(/[^\t\x20-\x7e]/g, '').slice(0, 400))

function extraHeaders(): fc.Arbitrary<Record<string, string>> {
  const names = [
    'idempotency-key',
    'if-none-match',
    'x-request-id',
    'accept',
    'range',
    'x-forwarded-for',
    'cookie',
    'expect-ct',
  ]
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom(...names), headerText).map(([name, value]) => ({ [name]: value })),
    },
  )
}

/** Credentials that look like something and are not good. */
function badCredentials({ session: token, key }: AttackOptions): fc.Arbitrary<Record<string, string>> {
  const [head = '', claims = '', signature = ''] = token.split('.')
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claimed = z.looseObject({}).parse(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')))
  const changed = (change: object) => `${head}.${encode({ ...claimed, ...change })}.${signature}`
  const bearer = [
    `${encode({ alg: 'none', typ: 'at+jwt' })}.${claims}.`,
    `${encode({ alg: 'HS256', kid: '../../../../dev/null' })}.${claims}.${signature}`,
    `${encode({ alg: 'RS256', kid: 'x', jku: 'http://169.254.169.254/' })}.${claims}.${signature}`,
    changed({ exp: 1 }),
    changed({ exp: 9_999_999_999, nbf: 9_999_999_998 }),
    changed({ aud: 'somebody-else' }),
    changed({ role: 'admin' }),
    changed({ sub: '00000000-0000-4000-8000-000000000001' }),
    `${head}.${claims}.${'A'.repeat(signature.length)}`,
    `${head}.${claims}`,
    `${token}.`,
    'x'.repeat(4_000),
    `${key.slice(0, -1)}${key.endsWith('0') ? '1' : '0'}`,
    key.toUpperCase(),
    'cl_live_',
    '.',
  ]
  return fc.oneof(
    fc.constant<Record<string, string>>({}),
    fc.constantFrom(...bearer).map(text => ({ authorization: `Bearer ${text}` })),
    fc
      .constantFrom('Basic cm9vdDpyb290', 'Bearer', 'bearer  ', 'Digest x', 'Bearer a b')
      .map(text => ({ authorization: text })),
    headerText.map(text => ({ authorization: `Bearer ${text}` })),
    fc.oneof(headerText, fc.constant(`${key}x`), fc.constant(token)).map(text => ({ 'x-api-key': text })),
  )
}

const json = { 'content-type': 'application/json' }

/** Bodies that break parsers. */
const bombs: fc.Arbitrary<{ body: string | Buffer; headers: Record<string, string> }> = fc.constantFrom(
  ...[
    { body: '['.repeat(100_000), headers: json },
    { body: '['.repeat(50_000) + ']'.repeat(50_000), headers: json },
    { body: `${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}`, headers: json },
    { body: `[${'0,'.repeat(120_000)}0]`, headers: json },
    { body: `{${Array.from({ length: 9_000 }, (_, n) => `"k${n}":1`).join(',')}}`, headers: json },
    { body: '{"email":"a@b.cc","email":{"x":1},"password":"1","password":2}', headers: json },
    { body: '{"__proto__":{"role":"admin"},"constructor":{"prototype":{"x":1}}}', headers: json },
    { body: '{"sql":"select 1","params":{"__proto__":1}}', headers: json },
    { body: '{"a":1e99999,"b":-0,"c":123456789012345678901234567890}', headers: json },
    { body: '{"a":"\\ud800","b":"\\u0000"}', headers: json },
    { body: '\ufeff{}', headers: json },
    { body: 'nul', headers: json },
    { body: '', headers: json },
    { body: Buffer.from([0xff, 0xfe, 0x00, 0x7b]), headers: json },
    { body: '{}', headers: { 'content-type': 'application/json; charset=utf-7' } },
    { body: '{}', headers: { 'content-type': 'application/json; charset=utf-16' } },
    { body: '{}', headers: { 'content-type': 'text/plain' } },
    { body: '{}', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
    { body: 'a=1&a=2&a[b]=3&__proto__=4', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { body: '{}', headers: { 'content-type': `application/json;${'x'.repeat(2_000)}` } },
    { body: 'not gzip', headers: { ...json, 'content-encoding': 'gzip' } },
    { body: gzipSync(Buffer.alloc(2_000_000, '[')), headers: { ...json, 'content-encoding': 'gzip' } },
    { body: '{}', headers: { ...json, 'content-encoding': 'zstd, br, gzip' } },
    { body: ' '.repeat(300_000), headers: json },
  ],
)

/** Whole paths that no operation has. */
const strangePaths = fc.oneof(
  fc.constantFrom(
    '/../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/api/%00',
    '/api/%ff%fe',
    '/api/%',
    '/api/keys/%2e%2e',
    '//evil.example/',
    '/\\evil.example',
    '/api//keys',
    '/API/KEYS',
    '/api/keys/',
    '/api/keys;a=b',
    '/.git/config',
    '/.env',
    '/ws',
    '/api/query?sql=select+1',
    `/api/creators/${'a'.repeat(4_000)}`,
    `/?${'a=1&'.repeat(3_000)}`,
    '/api/analytics/trends?limit=1&limit=2',
    '/api/analytics/trends?type[]=clips',
    '/api/analytics/trends?__proto__=1&constructor=2',
    '/api/creators/youtube%3A%0d%0aSet-Cookie%3A%20a',
  ),
  fc.webPath({ size: 'small' }).map(path => (path.startsWith('/') ? path : `/${path}`)),
  fc.string({ maxLength: 20 }).map(text => `/api/${encodeURIComponent(text.toWellFormed())}`),
)
