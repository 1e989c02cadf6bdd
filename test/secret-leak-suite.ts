/**
 * Plants secrets that are easy to recognise in every place where a secret may come from, uses the product as its users
 * do and as it fails, and then looks for them in every place where none may be.
 */

import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { expect } from 'vitest'
import { z } from 'zod'
import { SessionSchema } from '../contracts/accounts.ts'
import { NewApiKeySchema } from '../contracts/api-keys.ts'
import { LinkStateSchema, StartedLinkSchema } from '../contracts/platform-accounts.ts'
import { DeliverySchema, NewWebhookSchema } from '../contracts/webhooks.ts'
import type { Db } from '../core/db/port.ts'
import { cliOn, endProcess, type Finished } from './cli.ts'
import { LiveClient } from './live-client.ts'

/** Of the configuration: 43 characters each, as the product makes them. */
const configured = {
  JWT_SECRET: 'planted-jwt-secret-Qm7cR2xT9vLk4WnZ8sHd3PfG',
  VAULT_KEY: 'planted-vault-key-Uy5bN1eJ6oAq0XiC2rVt7MzKw',
  VAULT_KEY_PREVIOUS: 'planted-vault-old-Gh8dS4fL1pOe9YuB3nTx6RcVa',
  AGENT_API_KEY: 'planted-agent-key-Zk3mW7qE5tIu1OaP9sDf2GhJl',
  GOOGLE_CLIENT_SECRET: 'planted-google-secret-Lw6xC9vB2nM4qA8sE1dF',
  SMTP_PASSWORD: 'planted-smtp-password-Rt5yH8jK1lO3pU7iW2eQ',
} as const
/** Of people: what they type. */
const typed = {
  password: 'planted password of a person 1',
  wrongPassword: 'planted password that is wrong 2',
  newPassword: 'planted password that is new 3',
  resetPassword: 'planted password after a reset 4',
  brokenBody: 'planted-in-a-body-that-is-no-json',
  query: 'planted-in-a-query-string',
  googleToken: 'planted-google-id-token.AAAA.BBBB',
  googleCode: 'planted-google-code',
  wrongToken: 'planted-bearer-that-is-wrong',
  clientSecret: 'planted-client-secret-of-an-app',
  echoedSecret: 'planted-client-secret-that-is-sent-back',
  linkCode: 'planted-code-of-a-platform',
  sourceToken: 'planted-in-the-address-of-media',
} as const
/** Of a platform, for a linked account. */
const issued = {
  access_token: 'act.planted-access-token-of-a-platform',
  refresh_token: 'rft.planted-refresh-token-of-a-platform',
} as const
const email = 'marker-of-the-person@example.com'

/** Where the product is looked at from outside. */
export interface LeakRig {
  readonly home: string
  /** Settings of the stores, when they are servers. */
  readonly stores: Readonly<Record<string, string>>
  /** The verb that serves, with its arguments. */
  readonly serve: readonly string[]
  /** Whether the product runs an engine in a process of its own. */
  readonly hasChildren: boolean
  /** Opens the relational store once the product has ended. */
  openDb(): Promise<Db>
  /** What else keeps bytes, once the product has ended: name and content. */
  elsewhere(): Promise<Map<string, Buffer>>
}

/** Runs everything and gives what was found; empty is good. */
export async function findLeaks(rig: LeakRig): Promise<string[]> {
  const plants = new Map<string, string>([configured, typed, issued].flatMap(secrets => Object.entries(secrets)))
  const places = new Map<string, Buffer>()
  const outside = await startOutside()
  let running: ChildProcess | null = null
  try {
    const cli = cliOn(rig.home, {
      ...rig.stores,
      JWT_SECRET: configured.JWT_SECRET,
      // The old one alone at first, so that there is something to change from.
      VAULT_KEY: configured.VAULT_KEY_PREVIOUS,
      AGENT_API_KEY: configured.AGENT_API_KEY,
      LOG_LEVEL: 'trace',
      ...outside.settings,
    })
    const first = await cli.serve(...rig.serve)
    running = first.child
    const answers: string[] = []
    await runAllFlows({ url: first.url, cli, outside, plants, answers })
    const processes = processesOf(first.pid)
    if (rig.hasChildren && existsSync('/proc/self')) {
      expect([...processes.keys()].some(name => name.includes('/environ '))).toBe(true)
    }
    for (const [name, content] of processes) places.set(name, content)
    expect(await endProcess(first.child, 'SIGTERM')).toBe(0)
    places.set('log of the first run', Buffer.from(first.log()))
    places.set('answers', Buffer.from(answers.join('\n')))

    const changed = cliOn(rig.home, {
      ...rig.stores,
      JWT_SECRET: configured.JWT_SECRET,
      VAULT_KEY: configured.VAULT_KEY,
      VAULT_KEY_PREVIOUS: configured.VAULT_KEY_PREVIOUS,
      AGENT_API_KEY: configured.AGENT_API_KEY,
      LOG_LEVEL: 'trace',
    })
    for (const args of [['vault', 'rotate'], ['backup', join(rig.home, 'copy.tar')], ['doctor'], ['migrate']]) {
      const { stdout, stderr, code }: Finished = await changed.run(...args)
      expect({ args, code, stderr }).toMatchObject({ code: 0 })
      places.set(`output of ${args.join(' ')}`, Buffer.from(stdout + stderr))
    }
    const badly = cliOn(rig.home, { ...rig.stores, JWT_SECRET: typed.query, VAULT_KEY: 'planted-short' })
    plants.set('a setting that is refused', 'planted-short')
    const refused = await badly.run('doctor')
    places.set('output of a refused configuration', Buffer.from(refused.stdout + refused.stderr))

    places.set('rows of every table', Buffer.from(await rowsOf(await rig.openDb())))
    for (const [name, content] of await filesOf(rig.home)) places.set(name, content)
    for (const [name, content] of await rig.elsewhere()) places.set(name, content)
  } finally {
    if (running) await endProcess(running, 'SIGKILL')
    await outside.close()
  }
  expectToSee(places)
  return leaksIn(places, plants)
}

/** The search finds what is there: without this it could be blind. */
function expectToSee(places: ReadonlyMap<string, Buffer>): void {
  const rows = places.get('rows of every table')
  expect(rows?.includes(email)).toBe(true)
  expect(rows?.includes('webhooks.send'), "the queue's own tables").toBe(true)
  expect(places.get('log of the first run')?.includes('/api/auth/login')).toBe(true)
  expect(places.get('answers')?.includes('AUTH_REQUIRED')).toBe(true)
  expect(places.get('answers')?.includes('cliptape_http_request_seconds')).toBe(true)
  expect(places.get('file copy.tar')?.includes(email)).toBe(true)
}

function leaksIn(places: ReadonlyMap<string, Buffer>, plants: ReadonlyMap<string, string>): string[] {
  const leaks: string[] = []
  for (const [secret, text] of plants) {
    const bytes = Buffer.from(text)
    // Base64 in all three alignments, without what depends on the neighbours.
    const base64 = [0, 1, 2].map(shift => {
      const whole = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64')
      return whole.slice(shift === 0 ? 0 : 4, -4)
    })
    const forms = [text, encodeURIComponent(text), bytes.toString('hex'), ...base64]
    for (const [place, content] of places) {
      if (forms.some(form => content.includes(form))) leaks.push(`${secret} in ${place}`)
    }
  }
  return leaks
}

/** Every flow that has to do with a secret, and how each of them fails. */
async function runAllFlows(o: {
  url: string
  cli: ReturnType<typeof cliOn>
  outside: Outside
  plants: Map<string, string>
  answers: string[]
}): Promise<void> {
  const { url, cli, outside, plants, answers } = o
  const own = z
    .string()
    .min(20)
    .parse((await cli.run('token')).stdout.trim())
  plants.set("the owner's access token", own)
  /** `isShown`: the answer is where its reader gets a secret, so it is not looked at. */
  const call = async (
    method: string,
    path: string,
    options: {
      token?: string
      body?: unknown
      isShown?: boolean
      status?: number
      headers?: Record<string, string>
    } = {},
  ): Promise<unknown> => {
    const { token, body, isShown, status } = options
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!isShown) answers.push(`${method} ${path.split('?')[0]} ${JSON.stringify([...response.headers])} ${text}`)
    if (status !== undefined) expect(response.status, `${method} ${path}: ${text}`).toBe(status)
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
  }
  const session = async (path: string, body: unknown, status: number) => {
    const found = SessionSchema.parse(await call('POST', path, { body, status, isShown: true }))
    plants.set(`access token ${plants.size}`, found.access_token)
    plants.set(`refresh token ${plants.size}`, found.refresh_token)
    return found
  }

  // People.
  const { password, wrongPassword, newPassword, resetPassword } = typed
  const registered = await session('/api/auth/register', { email, password }, 201)
  await call('POST', '/api/auth/register', { body: { email, password }, status: 409 })
  await call('POST', '/api/auth/register', { body: { email: 'no address', password }, status: 400 })
  await call('POST', '/api/auth/register', { body: { email, password, more: password }, status: 400 })
  await call('POST', '/api/auth/login', { body: { email, password: wrongPassword }, status: 401 })
  await call('POST', '/api/auth/login', { body: `{"email":"${email}","password":"${typed.brokenBody}`, status: 400 })
  await call('POST', '/api/auth/login', { body: { email: { password } }, status: 400 })
  const { access_token: token } = await session('/api/auth/login', { email, password }, 200)
  const renewed = await session('/api/auth/refresh', { refresh_token: registered.refresh_token }, 200)
  await session('/api/auth/refresh', { refresh_token: renewed.refresh_token }, 200)
  await call('POST', '/api/auth/refresh', { body: { refresh_token: registered.refresh_token }, status: 401 })
  await call('POST', '/api/auth/refresh', { body: { refresh_token: wrongPassword }, status: 401 })
  await call('GET', `/api/auth/user?token=${typed.query}`, { token: typed.wrongToken, status: 401 })
  await call('GET', `/api/auth/user?token=${typed.query}`, { token, status: 400 })
  await call('GET', '/api/auth/user', { token, status: 200 })
  await call('POST', '/api/auth/google', { body: { access_token: typed.googleToken } })
  const exchange = { code: typed.googleCode, code_verifier: 'v'.repeat(43), redirect_uri: 'http://127.0.0.1:1/' }
  await call('POST', '/api/auth/google/exchange', { body: exchange })

  // Links by mail: taken, refused by the mail server, used, used again.
  await call('POST', '/api/auth/password/forgot', { body: { email } })
  const link = await outside.nextLink()
  plants.set('link by mail', link)
  outside.refuseMail()
  await call('POST', '/api/auth/password/forgot', { body: { email } })
  await call('POST', '/api/auth/verify-email/send', { token })
  const reset = { token: link, new_password: resetPassword }
  // The page's form carries the link on.
  await call('GET', `/auth/reset-password?token=${link}`, { status: 200, isShown: true })
  await call('GET', '/auth/reset-password?token=no-link')
  await call('POST', '/api/auth/password/reset', { body: { ...reset, new_password: 'short' }, status: 400 })
  await call('POST', '/api/auth/password/reset', { body: reset })
  await call('POST', '/api/auth/password/reset', { body: reset })
  const after = await session('/api/auth/login', { email, password: resetPassword }, 200)
  const change = { current_password: wrongPassword, new_password: newPassword }
  await call('POST', '/api/auth/password', { token: after.access_token, body: change })
  await call('POST', '/api/auth/password', {
    token: after.access_token,
    body: { ...change, current_password: resetPassword },
    isShown: true,
  })
  const person = (await session('/api/auth/login', { email, password: newPassword }, 200)).access_token

  // Machines.
  const made = { name: 'automation', scopes: ['trends:read', 'webhooks:write'] }
  const { key, id: keyId } = NewApiKeySchema.parse(
    await call('POST', '/api/keys', { token: person, body: made, status: 201, isShown: true }),
  )
  plants.set('API key', key)
  await call('GET', '/ext-api/v1/trends', { headers: { 'x-api-key': key }, status: 200 })
  await call('GET', `/ext-api/v1/trends?key=${key}`, { headers: { 'x-api-key': key }, status: 400 })
  await call('GET', '/ext-api/v1/trends', { headers: { 'x-api-key': `${key.slice(0, -1)}-` }, status: 401 })
  await call('GET', '/api/account/export', { headers: { 'x-api-key': key }, status: 401 })
  await call('GET', '/ext-api/v1/trends', { token: configured.AGENT_API_KEY })
  await call('GET', '/api/keys', { token: configured.AGENT_API_KEY })

  // Webhooks, to a receiver that takes them and one that sends everything back as an error.
  for (const path of ['/takes', '/echoes']) {
    const body = { url: outside.url + path, events: ['video.breakout', 'webhook.test'] }
    const webhook = NewWebhookSchema.parse(
      await call('POST', '/api/webhooks', { headers: { 'x-api-key': key }, body, status: 201, isShown: true }),
    )
    plants.set(`secret of the webhook ${path}`, webhook.secret)
    DeliverySchema.parse(await call('POST', `/api/webhooks/${webhook.id}/test`, { token: person, status: 202 }))
    await outside.nextDelivery()
    await call('GET', `/api/webhooks/${webhook.id}/deliveries`, { token: person, status: 200 })
    await call('PATCH', `/api/webhooks/${webhook.id}`, { token: person, body: { status: 'paused' }, status: 200 })
  }
  await call('POST', '/api/webhooks', {
    token: person,
    body: { url: 'http://169.254.169.254/', events: ['webhook.test'] },
    status: 403,
  })
  await call('GET', '/api/webhooks', { token: person, status: 200 })

  // Media: an address that leads inside, and one that names nothing.
  for (const [host, status] of [
    [outside.url, 403],
    ['ftp://media.example.com', 400],
  ] as const) {
    const body = { source: `${host}/stream.mp4?token=${typed.sourceToken}` }
    await call('POST', '/api/vods', { token: person, body, status })
  }
  await call('DELETE', `/api/keys/${keyId}`, { token: person, status: 204 })
  await call('GET', '/ext-api/v1/trends', { headers: { 'x-api-key': key }, status: 401 })

  // Accounts on platforms: one that is taken, one that sends everything back as an error.
  const json = { token: person, status: 202 }
  const app = { client_id: 'planted', client_secret: typed.clientSecret }
  await call('POST', '/api/credentials/tiktok', { ...json, body: app })
  await call('POST', '/api/credentials/youtube', { ...json, body: { ...app, client_secret: typed.echoedSecret } })
  await call('POST', '/api/credentials/youtube', { token: person, body: { ...app, api_key: '\u0007' }, status: 400 })
  await outside.nextProbe()
  const started = StartedLinkSchema.parse(
    await call('POST', '/api/auth/link/tiktok', { token: person, body: {}, status: 201, isShown: true }),
  )
  plants.set('state of a link', started.state)
  const ticketPath = started.ticketUrl.slice(new URL(started.ticketUrl).origin.length)
  plants.set('ticket of a link', new URL(started.ticketUrl).searchParams.get('ticket') ?? '')
  await call('GET', ticketPath, { isShown: true })
  await call('GET', ticketPath, { status: 400 })
  const back = `/api/auth/callback/tiktok?code=${typed.linkCode}&state=${started.state}`
  await call('GET', back, { status: 200 })
  await call('GET', back, { status: 400 })
  const { accountId } = LinkStateSchema.parse(
    await call('GET', `/api/auth/links/${started.linkId}`, { token: person, status: 200 }),
  )
  await call('GET', '/api/accounts', { token: person, status: 200 })
  await call('GET', '/api/credentials/status', { token: person, status: 200 })
  const failing = StartedLinkSchema.parse(
    await call('POST', '/api/auth/link/youtube', { token: person, body: {}, status: 201, isShown: true }),
  )
  const pasted = `http://127.0.0.1/?code=${typed.linkCode}&state=${failing.state}`
  await call('POST', '/api/auth/link/youtube/complete', { token: person, body: { url: pasted } })
  await call('DELETE', `/api/auth/link/tiktok/${accountId}`, { token: person, status: 200 })

  // Live, and what the server says of itself.
  const stranger = await LiveClient.connect(url)
  stranger.send({ type: 'hello', protocol: 1, token: typed.wrongToken })
  answers.push(JSON.stringify(await stranger.closed))
  const live = await LiveClient.open(url, person)
  live.socket.close()
  await live.closed
  for (const path of [
    '/metrics',
    '/api/ops',
    '/api/audit',
    '/api/usage',
    '/api/account/export',
    '/openapi.json',
    '/docs',
    '/healthz',
  ]) {
    await call('GET', path, { token: path === '/metrics' || path === '/api/ops' ? own : person, status: 200 })
  }
  const logout = await call('POST', '/api/auth/logout', { token: person })
  answers.push(JSON.stringify(logout))
  await call('GET', '/api/auth/user', { token: person, status: 401 })
}

/** What Cliptape speaks to: Google, a mail server, receivers of webhooks. */
interface Outside {
  readonly url: string
  readonly settings: Readonly<Record<string, string>>
  nextLink(): Promise<string>
  nextDelivery(): Promise<void>
  /** Developer credentials of Google were tried. */
  nextProbe(): Promise<void>
  /** From now on the mail server refuses every sign-in. */
  refuseMail(): void
  close(): Promise<void>
}

async function startOutside(): Promise<Outside> {
  const links = inbox<string>()
  const deliveries = inbox<void>()
  const probes = inbox<void>()
  const server: Server = createServer(async (request, response) => {
    const body = await textOf(request)
    const taken = answersOfPlatform[request.url?.split('?')[0] ?? '']
    if (request.url === '/takes') response.writeHead(204).end()
    else if (taken) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(taken))
    // The worst of answers: it sends back all that it was told.
    else
      response
        .writeHead(500, { 'x-echo': encodeURIComponent(body).slice(0, 2000) })
        .end(body + JSON.stringify(request.headers))
    if (request.url === '/takes' || request.url === '/echoes') deliveries.put()
    if (request.url === '/token' && body.includes(typed.echoedSecret)) probes.put()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${portOf(server.address())}`

  let isRefusing = false
  const smtp = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    allowInsecureAuth: true,
    onAuth: (auth, _session, done) =>
      isRefusing || auth.password !== configured.SMTP_PASSWORD
        ? done(new Error(`Not ${auth.password ?? ''}.`))
        : done(null, { user: auth.username }),
    onData: async (stream, _session, done) => {
      const mail = (await textOf(stream)).replace(/=\r?\n/g, '').replace(/=3D/gi, '=')
      const token = /reset-password\?token=([\w.-]+)/.exec(mail)?.[1]
      if (token) links.put(token)
      done()
    },
  })
  smtp.on('error', () => undefined)
  const listener = smtp.listen(0, '127.0.0.1')
  await once(listener, 'listening')

  return {
    url,
    settings: {
      SMTP_URL: `smtp://cliptape:${configured.SMTP_PASSWORD}@127.0.0.1:${portOf(listener.address())}`,
      PUBLIC_URL: 'http://localhost:4400',
      GOOGLE_CLIENT_ID: 'client.apps.googleusercontent.com',
      GOOGLE_CLIENT_SECRET: configured.GOOGLE_CLIENT_SECRET,
      GOOGLE_OAUTH_URL: url,
      GOOGLE_CERTS_URL: `${url}/certs`,
      WEBHOOK_ORIGINS: url,
      TIKTOK_AUTHORIZE_URL: url,
      TIKTOK_API_URL: `${url}/tiktok`,
    },
    nextLink: links.take,
    nextDelivery: deliveries.take,
    nextProbe: probes.take,
    refuseMail: () => {
      isRefusing = true
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await new Promise<void>(resolve => smtp.close(resolve))
    },
  }
}

/** Of TikTok, as far as linking goes; its revocation is among what is sent back as an error. */
const answersOfPlatform: Readonly<Record<string, unknown>> = {
  '/tiktok/v2/oauth/token/': {
    ...issued,
    expires_in: 7200,
    refresh_expires_in: 15_552_000,
    open_id: 'open-id',
    scope: 'user.info.basic,user.info.profile,user.info.stats,video.list',
    token_type: 'Bearer',
  },
  '/tiktok/v2/user/info/': {
    data: { user: { open_id: 'open-id', display_name: 'Somebody', username: 'somebody', follower_count: 1 } },
    error: { code: 'ok', message: '', log_id: '1' },
  },
}

function inbox<T>(): { put: (value: T) => void; take: () => Promise<T> } {
  const waiting: T[] = []
  let wake: (() => void) | null = null
  return {
    put(value) {
      waiting.push(value)
      wake?.()
    },
    async take() {
      for (;;) {
        const [first] = waiting.splice(0, 1).map(value => ({ value }))
        if (first) return first.value
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    },
  }
}

function portOf(address: unknown): number {
  return z.object({ port: z.number() }).parse(address).port
}

/** Command lines of a process and of all below it, and the environments of those below. Linux only; elsewhere none. */
function processesOf(pid: number): Map<string, Buffer> {
  const found = new Map<string, Buffer>()
  const read = (of: number, name: string) => {
    const path = `/proc/${of}/${name}`
    if (existsSync(path))
      found.set(`${path} of ${readFileSync(`/proc/${of}/cmdline`, 'latin1').slice(0, 80)}`, readFileSync(path))
  }
  const walk = (of: number, isBelow: boolean): void => {
    read(of, 'cmdline')
    read(of, 'comm')
    // The operator gave the process itself its settings in its environment.
    if (isBelow) read(of, 'environ')
    const children = `/proc/${of}/task/${of}/children`
    if (!existsSync(children)) return
    for (const child of readFileSync(children, 'utf8').trim().split(' ').filter(Boolean)) walk(Number(child), true)
  }
  walk(pid, false)
  return found
}

/** Every row of every table in every schema, the queue's included, as text. */
async function rowsOf(db: Db): Promise<string> {
  try {
    const { rows: tables } = await db.executeSql(`
      select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_toast%'`)
    const parts: string[] = []
    for (const { name } of tables) {
      const { rows } = await db.executeSql(`select t::text as row from ${String(name)} t`)
      parts.push(String(name), ...rows.map(({ row }) => String(row)))
    }
    return parts.join('\n')
  } finally {
    await db.close()
  }
}

/** The raw bytes of everything in the home but the files that hold the secrets. */
async function filesOf(home: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(home.length + 1)
    if (!name.startsWith('secrets/')) found.set(`file ${name}`, await readFile(path))
  }
  return found
}
