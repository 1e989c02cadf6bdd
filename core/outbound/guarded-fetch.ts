/**
 * The one way out of this installation.
 *
 * An address that a user gave may be a name that points at our own network, or one that answers with a public address
 * when it is checked and with a private one when it is used. So nothing is checked ahead: the check sits in the connection
 * itself, on the addresses that the socket is about to use, and again on the one that it reached. Redirects are followed
 * by hand, each a new connection with the same checks. Names are asked of the name servers alone, not of the system:
 * the system's own look-up knows names of this machine, and a slow name server would fill the thread pool that it uses.
 *
 * Proxies of the environment are not used: through one, the address that is checked would be the proxy's.
 */
import { Resolver } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import type { Readable } from 'node:stream'
import { Agent, buildConnector, type Dispatcher, request as send } from 'undici'
import { AppError } from '../../contracts/errors.ts'
import type { Outbound, OutboundAnswer, OutboundBytes, OutboundRequest } from './port.ts'
import { isPublicAddress } from './public-address.ts'

const timeoutMsDefault = 10_000
const answerBytesMaxDefault = 1024 * 1024
const headerBytesMax = 32 * 1024
const redirectsMax = 5
const connectMsMax = 5_000
const dnsMsMax = 2_000
const urlCharsMax = 4096
/** What a request to one origin must not carry to another. */
const boundToOrigin = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key'])

export interface OutboundOptions {
  /** Origins that the operator configured, e.g. `https://oauth2.googleapis.com`. */
  readonly configuredOrigins: readonly string[]
  /** Which addresses users may name; those of the public internet unless told. */
  readonly mayReach?: (address: string) => boolean
  /** The addresses of a name, for users' addresses; asked of the name servers unless told. */
  readonly resolve?: (hostname: string) => Promise<string[]>
}

/** Opens the way out; see the port. */
export function openOutbound(options: OutboundOptions): Outbound {
  const mayReach = options.mayReach ?? isPublicAddress
  const resolve = options.resolve ?? askNameServers
  const configured = new Set(options.configuredOrigins.map(origin => new URL(origin).origin))
  const limits = { maxHeaderSize: headerBytesMax }
  // One request a connection: nothing is kept open to strangers, and every request is checked anew.
  const guarded = new Agent({ ...limits, pipelining: 0, connect: guardedConnector(mayReach, resolve) })
  // Platforms are asked many times a second: a new connection, and its handshake, costs more than most answers.
  const plain = new Agent({ ...limits, connect: { timeout: connectMsMax, allowH2: false } })
  const closing = new AbortController()

  const checkForUser = (url: URL): void => {
    if (url.username !== '' || url.password !== '')
      throw new AppError('BAD_REQUEST', 'The address must not carry a user name or password.')
    const literal = addressIn(url.hostname)
    if (literal !== null && !mayReach(literal)) throw refusedAddress(url.hostname)
  }
  const checkConfigured = (url: URL): void => {
    if (configured.has(url.origin)) return
    throw new AppError('FORBIDDEN', `The origin ${url.origin} is not configured on this server.`)
  }

  return {
    checkForUser: url => checkForUser(parseUrl(url)),
    fetchForUser: async (url, request = {}) =>
      withText(await follow({ agent: guarded, check: checkForUser, closing: closing.signal }, url, request)),
    fetchBytesForUser: (url, request = {}) =>
      follow({ agent: guarded, check: checkForUser, closing: closing.signal }, url, request),
    fetchBytesNamed(url, namedBy, request = {}) {
      const { origin } = parseUrl(url)
      const isItsOwn = origin === parseUrl(namedBy).origin && configured.has(origin)
      const way = isItsOwn ? { agent: plain, check: checkConfigured } : { agent: guarded, check: checkForUser }
      return follow({ ...way, closing: closing.signal }, url, request)
    },
    fetchConfigured: async (url, request = {}) =>
      withText(await follow({ agent: plain, check: checkConfigured, closing: closing.signal }, url, request)),
    async close() {
      closing.abort()
      await Promise.all([guarded.destroy(), plain.destroy()])
    },
  }
}

interface Way {
  readonly agent: Dispatcher
  readonly check: (url: URL) => void
  readonly closing: AbortSignal
}

/** Asks, and asks again where the answer points to. Only a GET is repeated elsewhere: any other redirect is the answer. */
async function follow(way: Way, address: string, request: OutboundRequest): Promise<OutboundBytes> {
  const method = request.method ?? 'GET'
  const timeout = AbortSignal.timeout(request.timeoutMs ?? timeoutMsDefault)
  const signal = AbortSignal.any([timeout, way.closing, ...(request.signal ? [request.signal] : [])])
  let url = parseUrl(address)
  let headers = request.headers ?? {}
  for (let redirects = 0; ; redirects += 1) {
    way.check(url)
    const answer = await ask(way.agent, url, { ...request, method, headers, signal }).catch(error => {
      throw translated(error, url, timeout)
    })
    const location = isRedirect(answer.status) && method === 'GET' ? answer.headers.location : undefined
    if (location === undefined) return { ...answer, url: url.href }
    if (redirects === redirectsMax)
      throw new AppError(
        'UNAVAILABLE',
        `${url.host} sends from one address to the next: ${redirectsMax} were followed.`,
      )
    const next = parseUrl(location, url)
    if (next.origin !== url.origin) headers = withoutBound(headers)
    url = next
  }
}

async function ask(
  dispatcher: Dispatcher,
  url: URL,
  request: OutboundRequest & { readonly method: string; readonly signal: AbortSignal },
): Promise<Omit<OutboundBytes, 'url'>> {
  const { statusCode, headers, body } = await send(url, {
    dispatcher,
    method: request.method,
    // Not compressed: a small answer stays small.
    headers: { 'accept-encoding': 'identity', ...request.headers },
    body: request.body ?? null,
    signal: request.signal,
  })
  const bytes = await readUpTo(body, request.answerBytesMax ?? answerBytesMaxDefault)
  if (bytes === null) throw new AppError('UNAVAILABLE', `${url.host} answered with more than is taken from it.`)
  return { status: statusCode, headers: flat(headers), bytes }
}

function withText({ status, headers, bytes }: OutboundBytes): OutboundAnswer {
  return { status, headers, body: Buffer.from(bytes).toString('utf8') }
}

async function readUpTo(body: Readable, bytesMax: number): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    const part = Buffer.from(chunk)
    bytes += part.length
    // Leaving the loop closes the connection.
    if (bytes > bytesMax) return null
    chunks.push(part)
  }
  return Buffer.concat(chunks)
}

/** A connector whose sockets reach only allowed addresses: by what the name resolves to, and by what was reached. */
function guardedConnector(
  mayReach: (address: string) => boolean,
  resolve: (hostname: string) => Promise<string[]>,
): buildConnector.connector {
  const lookup: LookupFunction = (hostname, { all }, done) => {
    resolve(hostname).then(
      addresses => {
        // All of them: a list of a public and a private address is no honest name.
        if (!addresses.every(mayReach)) return done(refusedAddress(hostname), [])
        const found = addresses.map(address => ({ address, family: isIP(address) }))
        const [first] = found
        if (!first) done(new AppError('UNAVAILABLE', `The name ${hostname} has no address.`), [])
        else if (all) done(null, found)
        else done(null, first.address, first.family)
      },
      error => done(error instanceof Error ? error : new Error(String(error)), []),
    )
  }
  const connect = buildConnector({ timeout: connectMsMax, allowH2: false, lookup })
  return (options, callback) => {
    const literal = addressIn(options.hostname)
    // A socket to an address looks nothing up.
    if (literal !== null && !mayReach(literal)) return callback(refusedAddress(options.hostname), null)
    connect(options, (error, socket) => {
      if (error) return callback(error, null)
      if (mayReach(socket.remoteAddress ?? '')) return callback(null, socket)
      socket.destroy()
      callback(refusedAddress(options.hostname), null)
    })
  }
}

/** The addresses that the name servers give, IPv4 before IPv6. */
async function askNameServers(hostname: string): Promise<string[]> {
  const resolver = new Resolver({ timeout: dnsMsMax, tries: 1 })
  const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
  const addresses = [four, six].flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  if (addresses.length > 0) return addresses
  throw new AppError('UNAVAILABLE', `The name ${hostname} has no address.`, {
    cause: four.status === 'rejected' ? four.reason : undefined,
  })
}

function parseUrl(text: string, base?: URL): URL {
  const url = text.length <= urlCharsMax && URL.canParse(text, base?.href) ? new URL(text, base) : null
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url
  throw new AppError('BAD_REQUEST', 'The address must be a whole http or https address.')
}

/** The address when a host is one, without the brackets of IPv6. `URL` has brought every odd form of IPv4 into the usual one. */
function addressIn(hostname: string): string | null {
  const plain = hostname.replace(/^\[|\]$/g, '')
  if (isIP(plain) !== 0) return plain
  return /(^|\.)localhost\.?$/i.test(hostname) ? '127.0.0.1' : null
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status)
}

function withoutBound(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !boundToOrigin.has(name.toLowerCase())))
}

function flat(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}

function refusedAddress(host: string): AppError {
  return new AppError(
    'FORBIDDEN',
    `${host} leads to this machine or a private network: only addresses on the public internet are called.`,
  )
}

/** Says the host and the reason, never the path or query: those may hold a secret. */
function translated(error: unknown, url: URL, timeout: AbortSignal): AppError {
  const ours = appErrorIn(error)
  if (ours) return ours
  if (timeout.aborted) return new AppError('UNAVAILABLE', `${url.host} did not answer in time.`)
  const code = codeIn(error)
  return new AppError('UNAVAILABLE', `${url.host} could not be reached${code === null ? '' : ` (${code})`}.`, {
    cause: error,
  })
}

function appErrorIn(error: unknown): AppError | null {
  for (let one = error; one instanceof Error; one = one.cause) if (one instanceof AppError) return one
  return null
}

function codeIn(error: unknown): string | null {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return typeof code === 'string' && /^[A-Z0-9_]{2,60}$/.test(code) ? code : null
}
