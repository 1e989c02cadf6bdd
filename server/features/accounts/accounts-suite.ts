import { createHmac, randomUUID } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Session } from '../../../contracts/accounts.ts'
import { UserIdSchema } from '../../../contracts/ids.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import type { Bus } from '../../../core/bus/port.ts'
import { manualClock } from '../../../core/clock.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import { migrateDb } from '../../../core/db/migrate.ts'
import type { Db } from '../../../core/db/port.ts'
import { memoryKeyValue } from '../../../core/key-value/memory.ts'
import type { Mail } from '../../../core/mail/port.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import { MasterKeys, masterKey } from '../../../core/vault/master-key.ts'
import { ownVault } from '../../../core/vault/own-vault.ts'
import type { Vault } from '../../../core/vault/port.ts'
import { startTokenMaker, type TokenMaker } from '../../../test/token-maker.ts'
import { createApiKeyAuthenticator } from '../../auth/api-keys.ts'
import type { Authenticator } from '../../auth/authenticator.ts'
import { createGoogleSignIn } from '../../auth/google.ts'
import { type OpenAccounts, openAccounts } from '../../auth/open-accounts.ts'
import { createPasswords } from '../../auth/passwords.ts'
import { endedAmong } from '../../auth/session-states.ts'
import { openSigningKeys } from '../../auth/signing-keys.ts'
import { supabaseAuthenticator } from '../../auth/supabase.ts'
import type { Caller } from '../../http/caller.ts'
import { createKey } from '../keys/service.ts'
import type { AccountDeps } from './account-steps.ts'
import { addAccount, changeRole, listAccounts, renewLink } from './administration.ts'
import { googleExchange, googleSignIn } from './google-sign-in.ts'
import { askVerification, forgotPassword, resetPassword, verifyEmail } from './mail-links.ts'
import { changePassword, login, logout, readUser, refresh, register } from './service.ts'

const log = pino({ level: 'silent' })
const startMs = Date.parse('2026-01-31T12:00:00Z')
const hourMs = 3_600_000
const password = 'a long enough password'
const secret = 'k'.repeat(43)
const clientId = 'our-client.apps.example'
const projectSecret = 'the old secret of the Supabase project'

/** What a Supabase project, or another program, may have in the same database before we come. */
const otherSchema = `create schema auth;
create table auth.users (id uuid primary key, email text);
create table auth.sessions (id uuid primary key);
create table auth.refresh_tokens (id bigserial primary key, token text);
create function auth.uid() returns uuid language sql stable as $$ select null::uuid $$`

/** Where what an account has to do with platforms stands, each table with its owner column. */
const ownedByLinks = [
  ['developer_credentials', 'owner_id'],
  ['platform_accounts', 'user_id'],
  ['account_links', 'user_id'],
  ['vault_secrets', 'owner_id'],
] as const

interface Node extends AccountDeps {
  readonly vault: Vault
  readonly open: OpenAccounts
  readonly auth: Authenticator
}

/**
 * Accounts on one relational store, whichever engine is behind it.
 * @param setup the store, empty, opened by the file that calls this
 */
export function describeAccounts(setup: () => { db: Db }): void {
  let db: Db
  let clock: ReturnType<typeof manualClock>
  let google: TokenMaker
  let supabase: TokenMaker
  let outbound: Outbound
  let bus: Bus
  let node: Node
  const vault = ownVault(new MasterKeys(masterKey('key of the test, long enough to be one')))
  const mails: Mail[] = []
  const nodes: Node[] = []
  /** What the code exchange of Google was asked, and what it answers. */
  const exchange: { asked: URLSearchParams | null; answer: { status: number; body: string } } = {
    asked: null,
    answer: { status: 200, body: '{}' },
  }

  /** A process of its own on the same store. With another bus it hears nothing of the others. */
  const openNode = async (
    o: { bus?: Bus; secret?: string; registration?: 'open' | 'closed'; mailer?: null; cost?: number } = {},
  ): Promise<Node> => {
    const own = o.bus ?? bus
    const ownerId = await ensureLocalOwner(db)
    const deps = { db, bus: own, clock, log, outbound }
    const open = await openAccounts(
      { ...deps, keyValue: memoryKeyValue({ clock }) },
      {
        secret: o.secret ?? secret,
        ownerId,
        mailer: o.mailer === null ? null : { send: async mail => void mails.push(mail), close: async () => undefined },
        google: createGoogleSignIn(deps, {
          clientId,
          clientSecret: 'hush',
          oauthUrl: google.origin,
          certsUrl: `${google.origin}/certs`,
        }),
        registration: o.registration ?? 'open',
        linkBase: () => 'https://tape.example',
        passwords: createPasswords({ memoryKib: o.cost ?? 64, passes: 1, parallelism: 1 }),
      },
    )
    const made = { db, bus: own, clock, log, vault, accounts: open.accounts, open, auth: open.sessions }
    nodes.push(made)
    return made
  }

  beforeAll(async () => {
    db = setup().db
    await db.executeSql(otherSchema)
    await migrateDb(db)
    google = await startTokenMaker({
      alg: 'RS256',
      keysPath: '/certs',
      others: async (request, response) => {
        let body = ''
        for await (const chunk of request) body += chunk
        exchange.asked = new URLSearchParams(body)
        response.writeHead(exchange.answer.status, { 'content-type': 'application/json' }).end(exchange.answer.body)
      },
    })
    supabase = await startTokenMaker({ alg: 'ES256', keysPath: '/auth/v1/.well-known/jwks.json' })
    outbound = openOutbound({ configuredOrigins: [google.origin, supabase.origin] })
  })

  beforeEach(async () => {
    for (const one of nodes.splice(0)) await one.open.close()
    clock = manualClock(startMs)
    bus = memoryBus({ log })
    mails.length = 0
    node = await openNode()
  })

  afterAll(async () => {
    for (const one of nodes) await one.open.close()
    await Promise.all([google.close(), supabase.close(), outbound.close()])
  })

  let mailNumber = 0
  const newEmail = () => {
    mailNumber += 1
    return `Person${mailNumber}@Example.com`
  }
  const joined = async (email = newEmail()): Promise<Session> => register(node, { email, password }, stranger)
  const principalOf = (token: string, at = node) => at.auth.authenticate(token, ['jwt'])
  const callerOf = async (session: Session): Promise<Caller> => ({
    ...stranger,
    principal: await principalOf(session.access_token),
  })
  const auditOf = async (userId: string) => {
    const rows = await db.system
      .selectFrom('audit_log')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('id')
      .execute()
    return rows.map(row => row.action)
  }
  const linkIn = (mail: Mail | undefined) => /token=(\S+)/.exec(mail?.text ?? '')?.[1] ?? ''
  /** Closing waits for what follows an answer: mails, for one. */
  const restart = async () => {
    await node.open.close()
    nodes.splice(nodes.indexOf(node), 1)
    node = await openNode()
  }
  const mailed = async (work: () => Promise<void>): Promise<string> => {
    await restart()
    const before = mails.length
    await work()
    await restart()
    expect(mails).toHaveLength(before + 1)
    return linkIn(mails.at(-1))
  }

  const projectClaims = (more: object = {}) => ({
    iss: `${supabase.origin}/auth/v1`,
    aud: 'authenticated',
    role: 'authenticated',
    sub: randomUUID(),
    email: newEmail(),
    is_anonymous: false,
    iat: startMs / 1000,
    exp: startMs / 1000 + 3600,
    ...more,
  })

  describe('an account', () => {
    it('is made with a session, whose token says whose it is', async () => {
      const session = await register(node, { email: 'First@Example.com', password }, stranger)
      expect(session).toMatchObject({ token_type: 'Bearer', expires_in: 900, user: { email: 'First@Example.com' } })
      expect(await principalOf(session.access_token)).toEqual({
        userId: session.user.id,
        scheme: 'jwt',
        role: 'user',
        scopes: 'all',
        credentialId: decodeJwt(session.access_token).sid,
      })
      expect(await readUser(node, UserIdSchema.parse(session.user.id))).toEqual({
        id: session.user.id,
        email: 'First@Example.com',
        emailVerified: false,
        role: 'user',
        subscription_level: 'free',
        createdAt: '2026-01-31T12:00:00.000Z',
      })
      expect(await auditOf(session.user.id)).toEqual(['account.registered', 'session.started'])
      const started = await db.system
        .selectFrom('audit_log')
        .select(['actor', 'actor_id', 'request_id', 'address'])
        .where('user_id', '=', session.user.id)
        .where('action', '=', 'session.started')
        .executeTakeFirst()
      const sessionId = decodeJwt(session.access_token).sid
      expect(started).toEqual({ actor: 'jwt', actor_id: sessionId, request_id: 'test', address: '192.0.2.1' })
    })

    it('is made once for an address, however it is written and however many ask at once', async () => {
      const email = newEmail()
      const asked = await Promise.allSettled(
        [email, email.toLowerCase(), email.toUpperCase(), email].map(one =>
          register(node, { email: one, password }, stranger),
        ),
      )
      expect(asked.filter(one => one.status === 'fulfilled')).toHaveLength(1)
      for (const one of asked) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'CONFLICT' })
    })

    it('is not made where registration is closed', async () => {
      const closed = await openNode({ registration: 'closed' })
      const asked = register(closed, { email: newEmail(), password }, stranger)
      await expect(asked).rejects.toMatchObject({ code: 'FORBIDDEN' })
    })

    it('keeps no password, only a hash that costs', async () => {
      const { user } = await joined()
      const row = await db.system.selectFrom('passwords').selectAll().where('user_id', '=', user.id).executeTakeFirst()
      expect(row?.hash).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
    })

    it('is signed in to with its password, its address in any case', async () => {
      const { user } = await joined()
      const again = await login(node, { email: user.email.toUpperCase(), password }, stranger)
      expect(again.user).toEqual(user)
    })

    it('gives one answer to a wrong password and to an address that is not there', async () => {
      const { user } = await joined()
      const refusals = await Promise.all(
        [user.email, 'nobody@example.com'].map(email =>
          login(node, { email, password: 'another password' }, stranger).catch(error => ({
            code: error.code,
            message: error.message,
            details: error.details,
          })),
        ),
      )
      expect(refusals[0]).toEqual(refusals[1])
      expect(refusals[0]).toMatchObject({ code: 'AUTH_REQUIRED' })
    })

    it('has its hash made again when hashes cost more than they did', async () => {
      const { user } = await joined()
      const stronger = await openNode({ cost: 128 })
      await login(stronger, { email: user.email, password }, stranger)
      const row = await db.system.selectFrom('passwords').selectAll().where('user_id', '=', user.id).executeTakeFirst()
      expect(row?.hash).toContain('m=128')
      expect((await login(node, { email: user.email, password }, stranger)).user.id).toBe(user.id)
    })

    it('cannot be locked by a stranger, who waits longer and longer', async () => {
      const { user } = await joined()
      const guess = (address: string) =>
        login(node, { email: user.email, password: 'a guess' }, { ...stranger, address }).catch(error => error)
      const codes: string[] = []
      for (let count = 0; count < 60; count += 1) codes.push((await guess('192.0.2.66')).code)
      expect(codes.filter(code => code === 'AUTH_REQUIRED')).toHaveLength(6)
      const refused = await guess('192.0.2.66')
      expect(refused).toMatchObject({ code: 'RATE_LIMITED', details: { retryAfterMs: 1000 } })
      expect((await login(node, { email: user.email, password }, stranger)).user.id).toBe(user.id)

      const waits: number[] = []
      for (let turn = 0; turn < 4; turn += 1) {
        const { retryAfterMs } = (await guess('192.0.2.66')).details
        waits.push(retryAfterMs)
        clock.advance(retryAfterMs)
        expect((await guess('192.0.2.66')).code).toBe('AUTH_REQUIRED')
      }
      expect(waits).toEqual([1000, 2000, 4000, 8000])
    })

    it('lets an address that tries many accounts wait, and nobody else', async () => {
      const guess = (number: number, address: string) =>
        login(node, { email: `guess${number}@example.com`, password: 'x' }, { ...stranger, address }).catch(
          error => error.code,
        )
      const codes = await Promise.all(Array.from({ length: 60 }, (_, number) => guess(number, '2001:db8:0:7::1')))
      expect(codes.filter(code => code === 'RATE_LIMITED').length).toBeGreaterThanOrEqual(19)
      expect(await guess(61, '2001:db8:0:7:ffff::2')).toBe('RATE_LIMITED')
      expect(await guess(62, '2001:db8:0:8::1')).toBe('AUTH_REQUIRED')
    })
  })

  describe('a session', () => {
    it('goes on with a new refresh token each time', async () => {
      const first = await joined()
      const second = await refresh(node, first.refresh_token, stranger)
      const third = await refresh(node, second.refresh_token, stranger)
      expect(new Set([first, second, third].map(one => one.refresh_token)).size).toBe(3)
      expect(third.user).toEqual(first.user)
      for (const { access_token } of [first, second, third]) expect(await principalOf(access_token)).not.toBeNull()
    })

    it('ends when a used refresh token comes again, because one of its two holders is a thief', async () => {
      const first = await joined()
      const second = await refresh(node, first.refresh_token, stranger)
      const third = await refresh(node, second.refresh_token, stranger)
      await expect(refresh(node, first.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
      await expect(refresh(node, third.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
      for (const { access_token } of [first, second, third]) expect(await principalOf(access_token)).toBeNull()
      expect(await auditOf(first.user.id)).toContain('session.reused')
    })

    it('survives two tabs that refresh at the same moment: both get the same successor', async () => {
      const first = await joined()
      const tabs = await Promise.all(Array.from({ length: 5 }, () => refresh(node, first.refresh_token, stranger)))
      expect(new Set(tabs.map(tab => tab.refresh_token)).size).toBe(1)
      clock.advance(9_000)
      const late = await refresh(node, first.refresh_token, stranger)
      expect(late.refresh_token).toBe(tabs[0]?.refresh_token)
      expect((await refresh(node, late.refresh_token, stranger)).user).toEqual(first.user)
    })

    it('takes no used token any more once ten seconds have passed', async () => {
      const first = await joined()
      const second = await refresh(node, first.refresh_token, stranger)
      clock.advance(10_001)
      await expect(refresh(node, first.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
      await expect(refresh(node, second.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
    })

    it('refuses refresh tokens that nobody gave out', async () => {
      for (const token of ['', 'x', 'x'.repeat(43), 'ä'.repeat(43), "' or 1=1 --"]) {
        await expect(refresh(node, token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
      }
    })

    it('is over after thirty days without a refresh, and after half a year in any case', async () => {
      const idle = await joined()
      clock.advance(30 * 24 * hourMs + 1)
      await expect(refresh(node, idle.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
      let session = await joined()
      for (let count = 0; count < 8; count += 1) {
        session = await refresh(node, session.refresh_token, stranger)
        clock.advance(20 * 24 * hourMs)
      }
      clock.advance(20 * 24 * hourMs)
      await expect(refresh(node, session.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
    })

    it('ends at once on every node when its user signs out', async () => {
      const session = await joined()
      const other = await openNode()
      expect(await principalOf(session.access_token, other)).not.toBeNull()
      const told = Promise.withResolvers<unknown>()
      await bus.subscribe('session.ended', told.resolve)
      const caller = await callerOf(session)
      await logout(node, UserIdSchema.parse(session.user.id), caller)
      expect(await told.promise).toEqual({ userId: session.user.id, sessionId: caller.principal?.credentialId })
      for (const at of [node, other]) expect(await principalOf(session.access_token, at)).toBeNull()
      await expect(refresh(node, session.refresh_token, stranger)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' })
    })

    it('ends within a second on a node that missed the message', async () => {
      const session = await joined()
      const deaf = await openNode({ bus: memoryBus({ log }) })
      expect(await principalOf(session.access_token, deaf)).not.toBeNull()
      await logout(node, UserIdSchema.parse(session.user.id), await callerOf(session))
      clock.advance(999)
      expect(await principalOf(session.access_token, deaf)).toBeNull()
    })

    it('is found among those of open connections when it was ended, or its user is gone', async () => {
      const [stays, ends, goes] = [await joined(), await joined(), await joined()]
      const of = ({ access_token, user }: Session) => ({
        sessionId: String(decodeJwt(access_token).sid),
        userId: user.id,
      })
      await logout(node, UserIdSchema.parse(ends.user.id), await callerOf(ends))
      await db.system.deleteFrom('users').where('id', '=', goes.user.id).execute()
      clock.advance(40 * 24 * hourMs)
      const ended = await endedAmong(db, [stays, ends, goes].map(of))
      expect([...ended].sort()).toEqual([of(ends).sessionId, of(goes).sessionId].sort())
    })

    it('gives the role that its user has now, not the one in the token', async () => {
      const session = await joined()
      await db.system.updateTable('users').set({ role: 'admin' }).where('id', '=', session.user.id).execute()
      expect(await principalOf(session.access_token)).toMatchObject({ role: 'admin' })
      await db.system.deleteFrom('users').where('id', '=', session.user.id).execute()
      clock.advance(1000)
      expect(await principalOf(session.access_token)).toBeNull()
    })
  })

  describe('a password', () => {
    it('is changed by who knows the present one, and ends the other sessions', async () => {
      const here = await joined()
      const there = await login(node, { email: here.user.email, password }, stranger)
      const userId = UserIdSchema.parse(here.user.id)
      const caller = await callerOf(here)
      const wrong = changePassword(node, userId, { current_password: 'wrong', new_password: 'x'.repeat(10) }, caller)
      await expect(wrong).rejects.toMatchObject({ code: 'FORBIDDEN' })
      await changePassword(node, userId, { current_password: password, new_password: 'another password' }, caller)
      expect(await principalOf(here.access_token)).not.toBeNull()
      expect(await principalOf(there.access_token)).toBeNull()
      await expect(login(node, { email: here.user.email, password }, stranger)).rejects.toMatchObject({
        code: 'AUTH_REQUIRED',
      })
      await login(node, { email: here.user.email, password: 'another password' }, stranger)
      expect(await auditOf(here.user.id)).toContain('password.changed')
    })

    it('is set by a link that works once, ends all sessions and proves the address', async () => {
      const session = await joined()
      const { email } = session.user
      const token = await mailed(() => forgotPassword(node, email.toLowerCase(), stranger))
      expect(mails.at(-1)).toMatchObject({ to: email })
      expect(mails.at(-1)?.text).toContain('https://tape.example/auth/reset-password?token=')
      const both = await Promise.allSettled(
        ['a new password 1', 'a new password 2'].map(new_password =>
          resetPassword(node, { token, new_password }, stranger),
        ),
      )
      expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(await principalOf(session.access_token)).toBeNull()
      const chosen = both[0]?.status === 'fulfilled' ? 'a new password 1' : 'a new password 2'
      await login(node, { email, password: chosen }, stranger)
      expect((await readUser(node, UserIdSchema.parse(session.user.id))).emailVerified).toBe(true)
    })

    it('is set by its owner on an account that a stranger made: nothing of the stranger opens it any more', async () => {
      const session = await joined()
      const userId = UserIdSchema.parse(session.user.id)
      const caller = await callerOf(session)
      const keyOf = (name: string) => createKey(node, caller, { name, scopes: ['trends:read'] })
      const waiting = await keyOf('waits for the owner')
      const apiKeys = await createApiKeyAuthenticator({ ...node, serviceKey: null })
      expect(await apiKeys.authenticate(waiting.key, ['apiKey'])).toMatchObject({ userId })
      const secret = await db.system
        .insertInto('vault_secrets')
        .values({ owner_id: userId, purpose: 'test', external_id: randomUUID() })
        .returning('id')
        .executeTakeFirstOrThrow()
      await db.system
        .insertInto('webhooks')
        .values({ owner_id: userId, url: 'https://x.example/', events: [], secret_vault_id: secret.id })
        .execute()
      const reset = async () => {
        const token = await mailed(() => forgotPassword(node, session.user.email, stranger))
        await resetPassword(node, { token, new_password: 'my own password' }, stranger)
      }
      const webhook = () =>
        db.system.selectFrom('webhooks').select(['status']).where('owner_id', '=', userId).executeTakeFirst()
      await reset()
      expect(await apiKeys.authenticate(waiting.key, ['apiKey'])).toBeNull()
      expect(await webhook()).toEqual({ status: 'paused' })
      expect(await auditOf(userId)).toEqual(expect.arrayContaining(['key.revoked', 'webhook.changed']))

      // From then on the account is proved: a forgotten password costs nobody their keys.
      const own = await keyOf('mine')
      await reset()
      expect(await apiKeys.authenticate(own.key, ['apiKey'])).toMatchObject({ userId })
      await apiKeys.close()
    })

    it('that is reset while somebody signs in with the old one lets nobody in', async () => {
      const { user } = await joined()
      const token = await mailed(() => forgotPassword(node, user.email, stranger))
      const { accounts } = node
      const passwords: typeof accounts.passwords = {
        ...accounts.passwords,
        async verify(...args) {
          const verified = await accounts.passwords.verify(...args)
          await resetPassword(node, { token, new_password: 'a new password' }, stranger)
          return verified
        },
      }
      const slow = { ...node, accounts: { ...accounts, passwords } }
      await expect(login(slow, { email: user.email, password }, stranger)).rejects.toMatchObject({
        code: 'AUTH_REQUIRED',
      })
      await login(node, { email: user.email, password: 'a new password' }, stranger)
    })

    it('is not set by a link that is too old, of another purpose, or another kind of token', async () => {
      const session = await joined()
      const verify = linkIn(mails.findLast(mail => mail.to === session.user.email))
      const reset = await mailed(() => forgotPassword(node, session.user.email, stranger))
      const set = (token: string) => resetPassword(node, { token, new_password: 'x'.repeat(12) }, stranger)
      for (const token of [verify, session.access_token, `${reset.slice(0, -2)}xx`, 'nothing']) {
        await expect(set(token)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      }
      await expect(verifyEmail(node, reset, stranger)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      expect(await principalOf(reset)).toBeNull()
      clock.advance(hourMs + 6_000)
      await expect(set(reset)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    })

    it('cannot be asked about: an address without an account gets the same answer, and no mail', async () => {
      await forgotPassword(node, 'nobody@example.com', stranger)
      await node.open.close()
      expect(mails).toEqual([])
    })

    it('sends a person only a few mails an hour', async () => {
      const { user } = await joined()
      for (let count = 0; count < 8; count += 1) await forgotPassword(node, user.email, stranger)
      await node.open.close()
      expect(mails.filter(mail => mail.subject.startsWith('Set another'))).toHaveLength(4)
    })

    it('cannot be forgotten where no mail is sent', async () => {
      const silent = await openNode({ mailer: null })
      const asked = forgotPassword(silent, 'a@example.com', stranger)
      await expect(asked).rejects.toMatchObject({ code: 'NOT_CONFIGURED' })
    })
  })

  describe('an address', () => {
    it('is verified by the link that registering sends, once', async () => {
      const session = await joined()
      const userId = UserIdSchema.parse(session.user.id)
      await node.open.close()
      const token = linkIn(mails.find(mail => mail.to === session.user.email))
      await verifyEmail(node, token, stranger)
      expect((await readUser(node, userId)).emailVerified).toBe(true)
      await expect(verifyEmail(node, token, stranger)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      const again = askVerification(node, userId, await callerOf(session))
      await expect(again).rejects.toMatchObject({ code: 'CONFLICT' })
    })
  })

  describe('the operator', () => {
    it('makes an account where registration is closed, whose person sets the password by a link of one use', async () => {
      const closed = await openNode({ registration: 'closed' })
      const email = newEmail()
      const first = new URL(await addAccount(closed, { email, role: 'user' }))
      expect(first.origin + first.pathname).toBe('https://tape.example/auth/reset-password')
      const link = await renewLink(closed, email.toLowerCase())
      await resetPassword(
        closed,
        { token: new URL(link).searchParams.get('token') ?? '', new_password: password },
        stranger,
      )
      const { user } = await login(closed, { email, password }, stranger)
      expect(await listAccounts(closed)).toContainEqual(
        expect.objectContaining({ id: user.id, email, role: 'user', emailVerified: true }),
      )
      const used = { token: first.searchParams.get('token') ?? '', new_password: password }
      await expect(resetPassword(closed, used, stranger)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      await expect(addAccount(closed, { email: email.toUpperCase(), role: 'user' })).rejects.toMatchObject({
        code: 'CONFLICT',
      })
    })

    it('makes somebody an admin, at once for the sessions that are open, and an ordinary user again', async () => {
      const session = await joined()
      let heard: unknown
      await bus.subscribe('session.ended', event => {
        heard = event
      })
      const roleNow = async () => (await principalOf(session.access_token))?.role
      for (const role of ['admin', 'user'] as const) {
        await changeRole(node, { email: session.user.email, role })
        expect(await roleNow()).toBe(role)
        expect(heard).toEqual({ userId: session.user.id, sessionId: null })
      }
      expect(await auditOf(session.user.id)).toEqual([
        'account.registered',
        'session.started',
        'role.changed',
        'role.changed',
      ])
    })

    it('cannot name who is not there, nor the local owner', async () => {
      const request = { email: 'nobody@example.com', role: 'admin' } as const
      await expect(changeRole(node, request)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(renewLink(node, request.email)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })

  describe('access tokens', () => {
    const header = { alg: 'HS256', typ: 'at+jwt' }
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

    it('name their key and their one algorithm, and live for a quarter of an hour', async () => {
      const { access_token } = await joined()
      expect(decodeProtectedHeader(access_token)).toEqual({ ...header, kid: expect.stringMatching(/^[\w-]{16}$/) })
      clock.advance(15 * 60_000)
      expect(await principalOf(access_token)).not.toBeNull()
      clock.advance(6_000)
      expect(await principalOf(access_token)).toBeNull()
    })

    it('are refused when anything about them is wrong', async () => {
      const { access_token } = await joined()
      const [head = '', body = '', signature = ''] = access_token.split('.')
      const claims = decodeJwt(access_token)
      const nowSec = startMs / 1000
      const signedByOther = (payload: object, protectedHeader: object = header, key = 'x'.repeat(32)) => {
        const text = `${part(protectedHeader)}.${part(payload)}`
        return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
      }
      const { kid } = decodeProtectedHeader(access_token)
      const bad: Record<string, string> = {
        'no signature': `${head}.${body}.`,
        'alg none': `${part({ alg: 'none', typ: 'at+jwt' })}.${body}.`,
        'alg None with a kid': `${part({ alg: 'None', typ: 'at+jwt', kid })}.${body}.${signature}`,
        'tampered body': `${head}.${part({ ...claims, role: 'owner' })}.${signature}`,
        'tampered signature': `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
        'another key under our kid': signedByOther(claims, { ...header, kid }),
        'no kid': signedByOther(claims),
        'a kid that is a path': signedByOther(claims, { ...header, kid: '../../../../dev/null' }, ''),
        'a kid of SQL': signedByOther(claims, { ...header, kid: "' or 1=1; --" }),
        'a key in its header': signedByOther(claims, { ...header, kid, jwk: { kty: 'oct', k: 'eHh4' } }),
        'a crit that nobody knows': signedByOther(claims, { ...header, kid, crit: ['b64'], b64: false }),
        'another algorithm': signedByOther(claims, { ...header, alg: 'HS512', kid }),
        empty: '',
        dots: '..',
        'not JSON': `${Buffer.from('{').toString('base64url')}.${body}.${signature}`,
        'five parts': `${head}.${body}.${signature}.x.y`,
        'a deep header': signedByOther(claims, { ...header, kid: JSON.parse('['.repeat(500) + ']'.repeat(500)) }),
      }
      for (const [what, token] of Object.entries(bad)) expect([what, await principalOf(token)]).toEqual([what, null])

      // The same with the right key: every claim is looked at.
      const { keys } = await ring()
      const right = (payload: object, protectedHeader: object = header) =>
        new SignJWT({ ...claims, ...payload })
          .setProtectedHeader({ alg: 'HS256', ...protectedHeader, kid: keys.kid })
          .sign(keys.key)
      expect(await principalOf(await right({}))).not.toBeNull()
      const claimed: Record<string, string> = {
        expired: await right({ exp: nowSec - 6 }),
        'without an end': await right({ exp: undefined }),
        'issued in the future': await right({ iat: nowSec + 60 }),
        'good in the future': await right({ nbf: nowSec + 60 }),
        'older than anything that we sign': await right({ iat: nowSec - 25 * 3600 }),
        'of another issuer': await right({ iss: 'somebody' }),
        'for another audience': await right({ aud: 'cliptape-mail' }),
        'of another type': await right({}, { typ: 'mail+jwt' }),
        'without a session': await right({ sid: undefined }),
        'of a session that is not there': await right({ sid: randomUUID() }),
        "of another user's session": await right({ sub: randomUUID() }),
        'of nobody': await right({ sub: 'root' }),
      }
      for (const [what, token] of Object.entries(claimed))
        expect([what, await principalOf(token)]).toEqual([what, null])
    })

    it('are refused when a single character of them is another one', async () => {
      const { access_token } = await joined()
      const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
      for (let at = 0; at < access_token.length; at += 1) {
        const was = alphabet.indexOf(access_token.charAt(at))
        // Neighbours in the alphabet differ in the bits that the last character of a part does not use.
        const changed = `${access_token.slice(0, at)}${alphabet.charAt(was ^ 1)}${access_token.slice(at + 1)}`
        if (was >= 0) expect([at, await principalOf(changed)]).toEqual([at, null])
      }
    })

    it('are good on every node, and on one that starts later', async () => {
      const { access_token } = await joined()
      const [second, third] = await Promise.all([openNode(), openNode()])
      for (const at of [second, third]) expect(await principalOf(access_token, at)).not.toBeNull()
    })

    it('are refused by a node with another secret, which goes on with a key of its own', async () => {
      const { access_token, user } = await joined()
      const stranger1 = await openNode({ secret: 's'.repeat(43), bus: memoryBus({ log }) })
      expect(await principalOf(access_token, stranger1)).toBeNull()
      const own = await login(stranger1, { email: user.email, password }, stranger)
      expect(await principalOf(own.access_token, stranger1)).not.toBeNull()
      expect(await principalOf(own.access_token)).toBeNull()
    })

    it('are not taken for machines: a route that takes keys alone refuses them', async () => {
      const { access_token } = await joined()
      expect(await node.auth.authenticate(access_token, ['apiKey', 'connectorToken'])).toBeNull()
    })

    /** The key that signs now, taken out of the node's own signature checks. */
    async function ring() {
      const opened = await openSigningKeys({ db, bus: memoryBus({ log }), clock, log }, secret)
      return { keys: opened.current() }
    }
  })

  describe('signing keys', () => {
    it('are agreed on by nodes that start together', async () => {
      await db.system.deleteFrom('signing_keys').execute()
      await Promise.all(Array.from({ length: 4 }, () => openNode()))
      const rows = await db.system.selectFrom('signing_keys').selectAll().execute()
      expect(rows).toHaveLength(1)
      expect(rows[0]?.sealed.length).toBe(12 + 32 + 16)
    })

    it('rotate every thirty days; what the old one signed stays good until it ends, on every node', async () => {
      const deaf = await openNode({ bus: memoryBus({ log }) })
      const old = await joined()
      clock.advance(30 * 24 * hourMs - 60_000)
      const before = await login(node, { email: old.user.email, password }, stranger)
      clock.advance(120_000)
      await node.open.tidy()
      const after = await login(node, { email: old.user.email, password }, stranger)
      const kidOf = ({ access_token }: Session) => decodeProtectedHeader(access_token).kid
      expect(kidOf(after)).not.toBe(kidOf(before))
      for (const at of [node, deaf]) {
        expect(await principalOf(before.access_token, at)).not.toBeNull()
        expect(await principalOf(after.access_token, at)).not.toBeNull()
      }
      clock.advance(26 * hourMs)
      await node.open.tidy()
      const kids = (await db.system.selectFrom('signing_keys').select('kid').execute()).map(row => row.kid)
      expect(kids).toContain(kidOf(after))
      expect(kids).not.toContain(kidOf(before))
    })

    it('sweep away sessions and links a day after they ended', async () => {
      const gone = await joined()
      const sid = decodeJwt(gone.access_token).sid
      await logout(node, UserIdSchema.parse(gone.user.id), await callerOf(gone))
      clock.advance(25 * hourMs)
      await node.open.tidy()
      const rows = await db.system.selectFrom('sessions').select('id').where('id', '=', String(sid)).execute()
      expect(rows).toEqual([])
    })
  })

  describe('the local owner', () => {
    it('gets tokens without a password, as long as asked and at most for a day', async () => {
      const ownerId = await ensureLocalOwner(db)
      const token = await node.open.local.issue(5 * hourMs)
      expect(await principalOf(token)).toMatchObject({ userId: ownerId, role: 'owner', scheme: 'jwt' })
      clock.advance(5 * hourMs - 1000)
      expect(await principalOf(token)).not.toBeNull()
      clock.advance(10_000)
      expect(await principalOf(token)).toBeNull()
      const { iat = 0, exp = 0 } = decodeJwt(await node.open.local.issue(100 * hourMs))
      expect(exp - iat).toBe(24 * 3600)
    })

    it('gets the same token again until it is nearly over', async () => {
      const first = await node.open.local.present()
      clock.advance(12 * 60_000)
      expect(await node.open.local.present()).toBe(first)
      clock.advance(61_000)
      const next = await node.open.local.present()
      expect(next).not.toBe(first)
      expect(await principalOf(next)).not.toBeNull()
    })
  })

  describe('Google', () => {
    const claims = (more: object = {}) => ({
      iss: 'https://accounts.google.com',
      aud: clientId,
      sub: `google-${randomUUID()}`,
      email: newEmail(),
      email_verified: true,
      iat: startMs / 1000,
      exp: startMs / 1000 + 3600,
      ...more,
    })
    const enter = (access_token: string, nonce?: string, at = node) =>
      googleSignIn(at, { access_token, nonce }, stranger)

    it('makes an account at the first visit, with its address verified, and finds it at the next', async () => {
      const given = claims({ iss: 'accounts.google.com' })
      const first = await enter(await google.sign(given))
      expect(first.user.email).toBe(given.email)
      expect((await readUser(node, UserIdSchema.parse(first.user.id))).emailVerified).toBe(true)
      const second = await enter(await google.sign({ ...given, email: newEmail() }))
      expect(second.user).toEqual(first.user)
      expect(await auditOf(first.user.id)).toContain('identity.linked')
    })

    it('makes one account however many first visits come at once', async () => {
      const token = await google.sign(claims())
      const visits = await Promise.all(Array.from({ length: 4 }, () => enter(token)))
      expect(new Set(visits.map(visit => visit.user.id)).size).toBe(1)
      const email = newEmail()
      const people = await Promise.all([1, 2, 3].map(() => supabase.sign({ ...projectClaims(), email })))
      const auth = supabaseAuthenticator(
        { db, outbound, clock, registration: 'open' },
        { url: supabase.origin, jwtSecret: null },
      )
      const entered = await Promise.all(people.map(one => auth.authenticate(one, ['jwt'])))
      expect(new Set(entered.map(one => one?.userId)).size).toBe(3)
    })

    it('links the account of the same address when both sides have verified it', async () => {
      const session = await joined()
      await db.system
        .updateTable('users')
        .set({ email_verified_at: new Date(startMs) })
        .where('id', '=', session.user.id)
        .execute()
      const linked = await enter(await google.sign(claims({ email: session.user.email.toLowerCase() })))
      expect(linked.user).toEqual(session.user)
    })

    it('leaves an account alone whose address nobody has proved; a reset by mail opens the way', async () => {
      const planted = await joined()
      const given = claims({ email: planted.user.email })
      await expect(enter(await google.sign(given))).rejects.toMatchObject({ code: 'CONFLICT' })
      const token = await mailed(() => forgotPassword(node, planted.user.email, stranger))
      await resetPassword(node, { token, new_password: 'of the real owner' }, stranger)
      expect(await principalOf(planted.access_token)).toBeNull()
      expect((await enter(await google.sign(given))).user.id).toBe(planted.user.id)
    })

    it('takes from whoever planted it what they linked and entered, with all secrets', async () => {
      const planted = await joined()
      const userId = UserIdSchema.parse(planted.user.id)
      await db.transaction(async trx => {
        const put = (purpose: string) => vault.put(trx, { ownerId: userId, purpose }, 'of the stranger')
        const vaultId = await put('developer_credentials')
        const app = { owner_id: userId, platform: 'youtube' as const, kind: 'google', client_id: 'theirs' }
        const tried = { reason: null, next_validation_at: null, last_validated_at: null }
        await trx
          .insertInto('developer_credentials')
          .values({ ...app, ...tried, vault_id: vaultId })
          .execute()
        await trx
          .insertInto('platform_accounts')
          .values({
            user_id: userId,
            platform_name: 'youtube',
            platform_account_id: 'UCtheirs',
            credentials_kind: 'google',
            developer_credentials_vault_id: vaultId,
            access_token_vault_id: await put('youtube_access_token'),
            refresh_token_vault_id: await put('youtube_refresh_token'),
            scopes: [],
            reason: null,
            token_expires_at: null,
            refresh_expires_at: null,
            refresh_lease_id: null,
            refresh_lease_until: null,
            refresh_not_before: null,
            last_validated_at: null,
          })
          .execute()
        await trx
          .insertInto('account_links')
          .values({
            user_id: userId,
            platform: 'youtube',
            credentials_kind: 'google',
            state_hash: Buffer.from('state'),
            ticket_hash: Buffer.from('ticket'),
            ticket_used_at: null,
            secret_vault_id: await put('account_link'),
            redirect_uri: 'https://tape.example',
            return_url: null,
            expected_account_id: null,
            reason: null,
            account_id: null,
            expires_at: new Date(startMs),
          })
          .execute()
      })
      const told: string[] = []
      const stop = await bus.subscribe('numbers.ended', event => void told.push(event.userId))
      const token = await mailed(() => forgotPassword(node, planted.user.email, stranger))
      await resetPassword(node, { token, new_password: 'of the real owner' }, stranger)
      for (const [table, owner] of ownedByLinks) {
        const { rows } = await db.executeSql(`select 1 from ${table} where ${owner} = '${userId}'`)
        expect([table, rows]).toEqual([table, []])
      }
      expect(told).toEqual([userId])
      expect(await auditOf(userId)).toEqual(expect.arrayContaining(['platform.unlinked', 'credentials.removed']))
      await stop()
    })

    it('refuses a token that fails, each for its reason', async () => {
      const nowSec = startMs / 1000
      const cases: [string, string, string?][] = [
        ['expired', await google.sign(claims({ exp: nowSec - 120, iat: nowSec - 3000 }))],
        ['another audience', await google.sign(claims({ aud: 'another-client' }))],
        ['another issuer', await google.sign(claims({ iss: 'https://accounts.example.com' }))],
        ['issued in the future', await google.sign(claims({ iat: nowSec + 600 }))],
        ['an address that is not verified', await google.sign(claims({ email_verified: false }))],
        ['no address', await google.sign(claims({ email: undefined }))],
        ['another nonce', await google.sign(claims({ nonce: 'theirs' })), 'ours'],
        ['no nonce', await google.sign(claims()), 'ours'],
        ['a key that nobody published', await google.forge(claims())],
        ['an unknown kid', await google.sign(claims(), { kid: 'unknown' })],
        ['no token', 'x.y.z'],
        ['an access token of ours', (await joined()).access_token],
      ]
      for (const [what, token, nonce] of cases) {
        const code = await enter(token, nonce).then(
          () => 'accepted',
          error => error.code,
        )
        expect([what, code]).toEqual([what, 'BAD_REQUEST'])
      }
      expect((await enter(await google.sign(claims({ nonce: 'ours' })), 'ours')).user.id).toBeTruthy()
    })

    it('asks for the keys once, not for every token', async () => {
      await enter(await google.sign(claims()))
      const before = google.keyRequests()
      for (let count = 0; count < 5; count += 1) await enter(await google.sign(claims()))
      expect(google.keyRequests()).toBe(before)
    })

    it('says that keys cannot be read, and blames nobody for it', async () => {
      google.fail(true)
      const fresh = await openNode()
      const asked = enter(await google.sign(claims()), undefined, fresh)
      await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' })
      google.fail(false)
    })

    it('makes no account where registration is closed, and says so where it is not set up', async () => {
      const closed = await openNode({ registration: 'closed' })
      await expect(enter(await google.sign(claims()), undefined, closed)).rejects.toMatchObject({ code: 'FORBIDDEN' })
      const without = { ...node, accounts: { ...node.accounts, google: null } }
      await expect(enter('x', undefined, without)).rejects.toMatchObject({ code: 'NOT_CONFIGURED' })
    })

    it('exchanges a code of the browser, with the secret that only the server has', async () => {
      const given = claims({ nonce: 'n' })
      const request = {
        code: 'the-code',
        code_verifier: 'v'.repeat(43),
        redirect_uri: 'http://127.0.0.1:53682/',
        nonce: 'n',
      }
      exchange.answer = { status: 200, body: JSON.stringify({ id_token: await google.sign(given) }) }
      const session = await googleExchange(node, request, stranger)
      expect(session.user.email).toBe(given.email)
      expect(Object.fromEntries(exchange.asked ?? [])).toEqual({
        grant_type: 'authorization_code',
        client_id: clientId,
        client_secret: 'hush',
        code: 'the-code',
        code_verifier: 'v'.repeat(43),
        redirect_uri: 'http://127.0.0.1:53682/',
      })
      exchange.answer = { status: 400, body: '{"error":"invalid_grant"}' }
      await expect(googleExchange(node, request, stranger)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      exchange.answer = { status: 503, body: '' }
      await expect(googleExchange(node, request, stranger)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    })
  })

  describe('Supabase', () => {
    const claims = projectClaims
    const authenticator = (o: { jwtSecret?: string; registration?: 'open' | 'closed' } = {}) =>
      supabaseAuthenticator(
        { db, outbound, clock, registration: o.registration ?? 'open' },
        { url: supabase.origin, jwtSecret: o.jwtSecret ?? null },
      )
    const bySecret = (payload: Record<string, unknown>, key = projectSecret) =>
      new SignJWT(payload).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(new TextEncoder().encode(key))

    it('signs in by a token of the project, always as the same user of ours', async () => {
      const auth = authenticator()
      const given = claims()
      const token = await supabase.sign(given)
      const visits = await Promise.all(Array.from({ length: 4 }, () => auth.authenticate(token, ['jwt'])))
      const userId = UserIdSchema.parse(visits[0]?.userId)
      expect(userId).not.toBe(given.sub)
      for (const visit of visits)
        expect(visit).toMatchObject({ userId, scheme: 'jwt', role: 'user', credentialId: null })
      expect(await readUser(node, userId)).toMatchObject({ email: given.email, emailVerified: false })
      expect(await authenticator().authenticate(token, ['jwt'])).toMatchObject({ userId })
      expect(await auth.authenticate(token, ['apiKey'])).toBeNull()
    })

    it('opens no account that is already there, whatever address the token names', async () => {
      const { user } = await joined()
      const principal = await authenticator().authenticate(await supabase.sign(claims({ email: user.email })), ['jwt'])
      expect(principal?.userId).not.toBe(user.id)
      expect(await readUser(node, UserIdSchema.parse(principal?.userId))).toMatchObject({ email: null })
    })

    it('takes the secret of a project that still has one, and never for a published key', async () => {
      const token = await bySecret(claims())
      expect(await authenticator({ jwtSecret: projectSecret }).authenticate(token, ['jwt'])).not.toBeNull()
      expect(await authenticator({ jwtSecret: 'another secret' }).authenticate(token, ['jwt'])).toBeNull()
      expect(await authenticator().authenticate(token, ['jwt'])).toBeNull()
    })

    it('refuses what is not a signed-in person of this project', async () => {
      const nowSec = startMs / 1000
      const auth = authenticator({ jwtSecret: projectSecret })
      const cases: [string, string][] = [
        ['another project', await supabase.sign(claims({ iss: 'https://other.supabase.co/auth/v1' }))],
        ['another audience', await supabase.sign(claims({ aud: 'else' }))],
        ['expired', await supabase.sign(claims({ exp: nowSec - 60 }))],
        ['from the future', await supabase.sign(claims({ iat: nowSec + 600 }))],
        ['the public key', await supabase.sign(claims({ role: 'anon', sub: undefined }))],
        ['the service key', await bySecret(claims({ role: 'service_role' }))],
        ['somebody without an account', await supabase.sign(claims({ is_anonymous: true }))],
        ['a key that nobody published', await supabase.forge(claims())],
        ['one of our own', (await joined()).access_token],
        ['nothing', ''],
      ]
      for (const [what, token] of cases) {
        expect([what, await auth.authenticate(token, ['jwt'])]).toEqual([what, null])
      }
      const closed = authenticator({ registration: 'closed' })
      expect(await closed.authenticate(await supabase.sign(claims()), ['jwt'])).toBeNull()
    })

    it('left the tables of its own schema as they were', async () => {
      const { rows } = await db.executeSql(
        "select table_name from information_schema.tables where table_schema = 'auth' order by 1",
      )
      expect(rows).toEqual([{ table_name: 'refresh_tokens' }, { table_name: 'sessions' }, { table_name: 'users' }])
    })
  })
}

const stranger: Caller = { principal: null, requestId: 'test', address: '192.0.2.1' }
