import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Platform, type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { type PlatformAccount, type StartedLink, scopeChoices } from '../../../contracts/platform-accounts.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import { manualClock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import { MasterKeys, masterKey } from '../../../core/vault/master-key.ts'
import { ownVault } from '../../../core/vault/own-vault.ts'
import { openPlatforms } from '../../../platforms/clients.ts'
import { type CredentialKind, credentialKinds, PlatformError } from '../../../platforms/port.ts'
import type { SandboxApp } from '../../../platforms/sandbox/apps.ts'
import { type RunningSandbox, startSandbox } from '../../../platforms/sandbox/sandbox.ts'
import type { Caller } from '../../http/caller.ts'
import { kindFacts } from '../credentials/kinds.ts'
import {
  type CredentialDeps,
  changeCredentials,
  listCredentials,
  removeCredentials,
  saveCredentials,
} from '../credentials/service.ts'
import { validateDue } from '../credentials/validation.ts'
import { listQuota } from '../quota/service.ts'
import { withAccessToken } from './access-token.ts'
import { listAccounts, takeRevocations, unlinkAccount } from './accounts.ts'
import { purgeLinks } from './purge.ts'
import { type RecheckDeps, recheckAccounts } from './recheck.ts'
import { completeLink, finishLink, type LinkDeps, readLink, startLink, useTicket } from './service.ts'

type LinkKind = Exclude<CredentialKind, 'google_api_key'>

const startMs = Date.UTC(2026, 10, 21, 16)
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const base = 'http://127.0.0.1:4400'
const appOfKind: Readonly<Record<LinkKind, readonly [SandboxApp['family'], SandboxApp['type']]>> = {
  google: ['google', 'web'],
  tiktok_desktop: ['tiktok', 'desktop'],
  tiktok_web: ['tiktok', 'web'],
  instagram_login: ['instagram', 'web'],
  facebook_login: ['facebook', 'web'],
}
const linkKinds = ['google', 'tiktok_desktop', 'tiktok_web', 'instagram_login', 'facebook_login'] as const

/** Developer credentials and links against the sandbox of the platforms, on whichever store. */
export function describeLinks(rig: () => { db: Db }): void {
  const log = pino({ level: 'silent' })
  const clock = manualClock(startMs)
  let sandbox: RunningSandbox
  let outbound: Outbound
  let deps: LinkDeps & CredentialDeps
  let user: UserId
  let me: Caller

  beforeAll(async () => {
    const callbacks = (['youtube', 'tiktok', 'instagram'] as const).flatMap(platform => [
      `${base}/api/auth/callback/${platform}`,
      `https://localhost:4400/api/auth/callback/${platform}`,
    ])
    sandbox = await startSandbox({ clock, creatorCount: 8, redirectUris: callbacks })
    outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  })
  afterAll(async () => {
    await outbound.close()
    await sandbox.close()
  })
  beforeEach(async () => {
    clock.advance(hourMs)
    sandbox.controls.clearFaults()
    const { db } = rig()
    await db.executeSql('delete from users')
    user = await addUser(db)
    me = callerOf(user)
    deps = {
      db,
      vault: ownVault(new MasterKeys(masterKey('key of the test, long enough to be one'))),
      bus: memoryBus({ log }),
      clock,
      log,
      platforms: openPlatforms({ outbound, clock, urls: sandbox.urls }),
      accounts: { linkBase: () => base },
    }
  })

  const appOf = (kind: LinkKind): SandboxApp => sandbox.controls.app(...appOfKind[kind])
  const save = (kind: LinkKind, change: { client_id?: string; client_secret?: string } = {}) =>
    saveCredentials(deps, me, kindFacts[kind].platform, {
      kind,
      client_id: appOf(kind).clientId,
      client_secret: appOf(kind).clientSecret,
      ...change,
    })
  const statuses = async () =>
    (await listCredentials(deps, me)).map(one => [one.kind, one.status, one.reason ?? null] as const)

  /** Follows the browser through the platform's pages until it leaves them. */
  const browse = async (
    url: string,
    consent: { family: SandboxApp['family']; decision?: 'allow' | 'deny'; accountId?: string; scopes?: string[] },
  ): Promise<string> => {
    const { family, decision = 'allow', ...more } = consent
    sandbox.controls.autoConsent(family, { decision, ...more })
    let at = url
    for (let page = 0; page < 5 && at.startsWith(sandbox.url); page += 1) {
      const answer = await fetch(at, { redirect: 'manual' })
      const location = answer.headers.get('location')
      if (location === null) throw new Error(`The page ${at} leads nowhere: ${(await answer.text()).slice(0, 500)}`)
      at = new URL(location, at).href
    }
    return at
  }
  const finish = (platform: Platform, url: string) =>
    finishLink(deps, stranger, { platform, query: Object.fromEntries(new URL(url).searchParams), ownerId: null })
  const link = async (
    kind: LinkKind,
    more: { accountId?: string; scopes?: string[]; expected?: string } = {},
  ): Promise<PlatformAccount> => {
    const { platform } = kindFacts[kind]
    const { expected, ...consent } = more
    const started = await startLink(deps, me, platform, {
      kind,
      ...(expected === undefined ? {} : { account_id: expected }),
    })
    const back = await browse(started.authorizationUrl, { family: appOfKind[kind][0], ...consent })
    const outcome = await finish(platform, back)
    if ('refusal' in outcome) throw outcome.refusal
    return outcome.account
  }
  const linked = async (kind: LinkKind): Promise<PlatformAccount> => {
    await save(kind)
    return await link(kind)
  }
  const rowOf = (id: string) =>
    rig().db.system.selectFrom('platform_accounts').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const secretCount = async () => {
    const { count } = await rig()
      .db.system.selectFrom('vault_secrets')
      .select(eb => eb.fn.countAll<string>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(count)
  }
  const asked = (endpoint: string) => sandbox.controls.requests.filter(one => one.endpoint === endpoint).length
  const tokenOf = (id: string) => withAccessToken(deps, id, async token => token)

  describe('developer credentials', () => {
    it.each(linkKinds)('of %s wait, and are valid once the platform took them', async kind => {
      const saved = await save(kind)
      expect(saved).toEqual({ status: 'pending_validation', vault_secret_id: expect.any(String), needsReauth: [] })
      expect(await statuses()).toEqual([[kind, 'pending_validation', null]])
      expect(await validateDue(deps)).toEqual({ tried: 1 })
      expect(await statuses()).toEqual([[kind, 'valid', null]])
      expect(await validateDue(deps)).toEqual({ tried: 0 })
    })

    it('may be an API key alone', async () => {
      const [key = ''] = appOf('google').apiKeys
      await saveCredentials(deps, me, 'youtube', { kind: 'google_api_key', api_key: key })
      await validateDue(deps)
      expect(await statuses()).toEqual([['google_api_key', 'valid', null]])
    })

    it.each(linkKinds)('of %s with a wrong secret are invalid, with what the platform said', async kind => {
      await save(kind, { client_secret: 'f'.repeat(32) })
      await validateDue(deps)
      const [[, status, reason] = []] = await statuses()
      expect(status).toBe('invalid')
      expect(reason).toMatch(/\w{3}/)
      expect(reason).not.toContain('f'.repeat(32))
      await expect(startLink(deps, me, kindFacts[kind].platform, {})).rejects.toMatchObject({ code: 'CONFLICT' })
    })

    it('are trimmed, and refused when they cannot be any, without being repeated', async () => {
      await save('google', { client_secret: `\uFEFF ${appOf('google').clientSecret}\r\n` })
      await validateDue(deps)
      expect(await statuses()).toEqual([['google', 'valid', null]])
      const refused = save('google', { client_secret: 'planted\u0007secret' })
      await expect(refused).rejects.toMatchObject({ code: 'BAD_REQUEST', details: { field: 'client_secret' } })
      await expect(refused).rejects.not.toThrow(/planted/)
    })

    it('of another platform are refused', async () => {
      const request = { kind: 'tiktok_web' as const, client_id: 'a', client_secret: 'b' }
      await expect(saveCredentials(deps, me, 'youtube', request)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    })

    it('are inconclusive while the platform is away, and tried again by themselves', async () => {
      await save('google')
      const end = sandbox.controls.addFault({ endpoint: '*', fault: { kind: 'status', status: 503 }, times: 99 })
      await validateDue(deps)
      expect(await statuses()).toEqual([['google', 'inconclusive', expect.any(String)]])
      end()
      expect(await validateDue(deps)).toEqual({ tried: 0 })
      clock.advance(minuteMs)
      expect(await validateDue(deps)).toEqual({ tried: 1 })
      expect(await statuses()).toEqual([['google', 'valid', null]])
    })

    it('that were good are tried daily, and only a refusal makes them invalid', async () => {
      await save('google')
      await validateDue(deps)
      expect(await validateDue(deps)).toEqual({ tried: 0 })
      clock.advance(dayMs)
      const end = sandbox.controls.addFault({ endpoint: '*', fault: { kind: 'status', status: 503 }, times: 99 })
      expect(await validateDue(deps)).toEqual({ tried: 1 })
      expect(await statuses()).toEqual([['google', 'valid', null]])
      end()
      clock.advance(minuteMs)
      expect(await validateDue(deps)).toEqual({ tried: 1 })
      const { platforms } = deps
      const refused = {
        ...deps,
        platforms: {
          data: platforms.data,
          auth: (kind: CredentialKind) => ({
            ...platforms.auth(kind),
            validate: async () => ({ status: 'invalid' as const, reason: 'The app was deleted.' }),
          }),
        },
      }
      clock.advance(dayMs)
      expect(await validateDue(refused)).toEqual({ tried: 1 })
      expect(await statuses()).toEqual([['google', 'invalid', 'The app was deleted.']])
      clock.advance(dayMs)
      expect(await validateDue(deps)).toEqual({ tried: 0 })
    })

    it('say what may still be asked with them, by the name of the account where it is that of one', async () => {
      const account = await linked('instagram_login')
      const [{ vault_secret_id: credentialKey = '' } = {}] = await listCredentials(deps, me)
      const state = {
        counts: 'refilling' as const,
        limit: 50,
        used: 12,
        left: 38,
        resetsAtMs: clock.nowMs(),
        blockedUntilMs: null,
        blockReason: null,
        usagePercent: 24,
      }
      const quota = async () => [
        { ...state, credentialKey, bucket: `instagram:account/${account.platformAccountId}` },
        { ...state, credentialKey: 'operator:youtube', bucket: 'youtube:units' },
      ]
      expect(await listQuota({ db: deps.db, quota }, user)).toEqual([
        {
          platform: 'instagram',
          kind: 'instagram_login',
          bucket: 'instagram:account',
          accountName: account.name,
          counts: 'refilling',
          limit: 50,
          used: 12,
          left: 38,
          resetsAt: new Date(clock.nowMs()).toISOString(),
          blockedUntil: null,
          blockReason: null,
          usagePercent: 24,
        },
      ])
    })

    it('that are replaced while they are tried wait for a try of their own', async () => {
      await save('google', { client_secret: 'wrong' })
      const { platforms } = deps
      await validateDue({
        ...deps,
        platforms: {
          data: platforms.data,
          auth: kind => ({
            ...platforms.auth(kind),
            async validate(credentials) {
              const verdict = await platforms.auth(kind).validate(credentials)
              await save('google')
              return verdict
            },
          }),
        },
      })
      expect(await statuses()).toEqual([['google', 'pending_validation', null]])
      await validateDue(deps)
      expect(await statuses()).toEqual([['google', 'valid', null]])
    })

    it('are tried once by two nodes together', async () => {
      await save('google')
      await save('tiktok_desktop')
      const [a, b] = await Promise.all([validateDue(deps), validateDue(deps)])
      expect(a.tried + b.tried).toBe(2)
    })

    it('keep their links with a new secret, and end them with another app', async () => {
      const account = await linked('google')
      const first = await save('google')
      expect(first.needsReauth).toEqual([])
      expect((await rowOf(account.id)).status).toBe('connected')
      const desktop = sandbox.controls.app('google', 'desktop')
      const second = await save('google', { client_id: desktop.clientId, client_secret: desktop.clientSecret })
      expect(second).toEqual({ ...first, needsReauth: [account.id] })
      expect(await rowOf(account.id)).toMatchObject({ status: 'needs_reauth', reason: expect.stringMatching(/app/) })
      await expect(tokenOf(account.id)).rejects.toMatchObject({ class: 'grant' })
    })

    it('keep that the terms for derived metrics are accepted, for the same app', async () => {
      await save('google')
      await save('tiktok_desktop')
      const accept = (platform: Platform, isAccepted: boolean) =>
        changeCredentials(deps, me, platform, { derived_metrics_accepted: isAccepted })
      const accepted = async () =>
        (await listCredentials(deps, me)).map(one => [one.kind, one.derivedMetricsAccepted] as const)
      const only = (google: boolean) => [
        ['google', google],
        ['tiktok_desktop', null],
      ]
      expect(await accepted()).toEqual(only(false))
      expect(await accept('youtube', true)).toMatchObject([{ kind: 'google', derivedMetricsAccepted: true }])
      await save('google')
      expect(await accepted()).toEqual(only(true))
      const desktop = sandbox.controls.app('google', 'desktop')
      await save('google', { client_id: desktop.clientId, client_secret: desktop.clientSecret })
      expect(await accepted()).toEqual(only(false))
      await accept('youtube', true)
      await accept('youtube', false)
      expect(await accepted()).toEqual(only(false))
      await expect(accept('tiktok', true)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      const { rows } = await rig().db.executeSql(
        `select details ->> 'derivedMetricsAccepted' as said from audit_log where action = 'credentials.terms_changed' order by id`,
      )
      expect(rows).toEqual([{ said: 'true' }, { said: 'true' }, { said: 'false' }])
    })

    it('go with their secret, and stop their links', async () => {
      const account = await linked('google')
      await removeCredentials(deps, me, { platform: 'youtube', kind: undefined })
      expect(await statuses()).toEqual([])
      expect(await rowOf(account.id)).toMatchObject({ status: 'needs_reauth', developer_credentials_vault_id: null })
      // The access and the refresh token of the account.
      expect(await secretCount()).toBe(2)
      await expect(removeCredentials(deps, me, { platform: 'youtube', kind: undefined })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      })
    })
  })

  describe('a link', () => {
    it.each(linkKinds)('with %s ends with an account, whose tokens are in the vault alone', async kind => {
      const account = await linked(kind)
      expect(account).toMatchObject({
        platform: kindFacts[kind].platform,
        kind,
        status: 'connected',
        reason: null,
        missingScopes: [],
      })
      expect(account.name).not.toBe('')
      expect(await listAccounts(deps, me)).toContainEqual(account)
      const token = await tokenOf(account.id)
      const rows = await rig().db.executeSql('select row_to_json(t)::text as row from platform_accounts t')
      expect(JSON.stringify(rows)).not.toContain(token)
      const { rows: links } = await rig().db.executeSql('select status, secret_vault_id from account_links')
      expect(links).toEqual([{ status: 'connected', secret_vault_id: null }])
    })

    it('opens the page of the platform once by its ticket', async () => {
      await save('google')
      const started = await startLink(deps, me, 'youtube', {})
      const ticket = new URL(started.ticketUrl).searchParams.get('ticket') ?? ''
      expect(await useTicket(deps, 'youtube', ticket)).toBe(started.authorizationUrl)
      await expect(useTicket(deps, 'youtube', ticket)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      const other = await startLink(deps, me, 'youtube', {})
      const late = new URL(other.ticketUrl).searchParams.get('ticket') ?? ''
      await expect(useTicket(deps, 'tiktok', late)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      clock.advance(10 * minuteMs)
      await expect(useTicket(deps, 'youtube', late)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    })

    it('asks for what was chosen with what it needs, and says what is missing', async () => {
      await save('tiktok_desktop')
      await expect(startLink(deps, me, 'tiktok', { scopes: ['youtube.readonly'] })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        details: { field: 'scopes' },
      })
      const started = await startLink(deps, me, 'tiktok', { scopes: ['video.list'] })
      const outcome = await finish('tiktok', await browse(started.authorizationUrl, { family: 'tiktok' }))
      expect(outcome).toMatchObject({
        account: {
          scopes: ['user.info.basic', 'video.list'],
          missingScopes: ['user.info.profile', 'user.info.stats'],
        },
      })
    })

    it('takes permissions of Google back when fewer are asked for', async () => {
      const account = await linked('google')
      expect(account.missingScopes).toEqual([])
      const started = await startLink(deps, me, 'youtube', { scopes: [], account_id: account.id })
      const outcome = await finish('youtube', await browse(started.authorizationUrl, { family: 'google' }))
      expect(outcome).toMatchObject({
        account: { id: account.id, missingScopes: [scopeChoices.google.find(each => !each.isNeeded)?.scope] },
      })
    })

    it('knows the permissions that its clients use', () => {
      for (const kind of credentialKinds)
        expect(scopeChoices[kind].map(({ scope }) => scope)).toEqual(deps.platforms.auth(kind).scopesOf(kind))
    })

    it('has a short address where others reach the server, for the page of its platform', async () => {
      await save('google')
      expect((await startLink(deps, me, 'youtube', {})).shortUrl).toBeNull()
      const open = { ...deps, accounts: { linkBase: () => 'https://tape.example' } }
      const started = await startLink(open, me, 'youtube', {})
      expect(started.shortUrl).toMatch(/^https:\/\/tape\.example\/link\?t=[\w-]{22}$/)
      const ticket = new URL(started.shortUrl ?? '').searchParams.get('t') ?? ''
      expect(await useTicket(open, null, ticket)).toBe(started.authorizationUrl)
      await expect(useTicket(open, null, ticket)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    })

    it('is good once, and for the platform that it was made for', async () => {
      await save('google')
      const { authorizationUrl } = await startLink(deps, me, 'youtube', {})
      const back = await browse(authorizationUrl, { family: 'google' })
      await expect(finish('tiktok', back)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      const both = await Promise.allSettled([finish('youtube', back), finish('youtube', back)])
      expect(both.map(one => one.status).sort()).toEqual(['fulfilled', 'rejected'])
      await expect(finish('youtube', back)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    })

    it('is too old after ten minutes, and says so to who waits', async () => {
      await save('google')
      const { authorizationUrl, linkId } = await startLink(deps, me, 'youtube', {})
      const back = await browse(authorizationUrl, { family: 'google' })
      expect(await readLink(deps, me, linkId)).toMatchObject({ status: 'waiting' })
      clock.advance(10 * minuteMs)
      await expect(finish('youtube', back)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      expect(await readLink(deps, me, linkId)).toMatchObject({ status: 'failed', reason: expect.stringMatching(/ten/) })
    })

    it('is finished by the address that its own user pastes, and by nobody else', async () => {
      await save('instagram_login')
      const started = await startLink(deps, me, 'instagram', {})
      expect(started.comesBack).toBe(false)
      const back = await browse(started.authorizationUrl, { family: 'instagram' })
      expect(back.startsWith('https://localhost:4400/')).toBe(true)
      const other = callerOf(await addUser(rig().db))
      await expect(completeLink(deps, other, { platform: 'instagram', url: back })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
      await expect(completeLink(deps, me, { platform: 'instagram', url: 'localhost:4400' })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
      const account = await completeLink(deps, me, { platform: 'instagram', url: ` ${back}\n` })
      expect(await readLink(deps, me, started.linkId)).toMatchObject({ status: 'connected', accountId: account.id })
      await expect(readLink(deps, other, started.linkId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('that is declined fails with the reason, and goes on to where it was asked to', async () => {
      await save('tiktok_desktop')
      const started = await startLink(deps, me, 'tiktok', { redirect_url: 'http://127.0.0.1:51004/linked?tab=1' })
      const back = await browse(started.authorizationUrl, { family: 'tiktok', decision: 'deny' })
      const outcome = await finish('tiktok', back)
      expect(outcome).toMatchObject({
        returnUrl: `http://127.0.0.1:51004/linked?tab=1&link_id=${started.linkId}&platform=tiktok&status=failed`,
        refusal: { code: 'BAD_REQUEST', message: expect.stringMatching(/declined/) },
      })
      expect(await readLink(deps, me, started.linkId)).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/declined/),
      })
      expect(await listAccounts(deps, me)).toEqual([])
    })

    it('goes to no address of a stranger, and needs credentials', async () => {
      await expect(startLink(deps, me, 'youtube', {})).rejects.toMatchObject({ code: 'CONFLICT' })
      await save('google')
      await expect(startLink(deps, me, 'youtube', { redirect_url: 'https://evil.example/' })).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      })
      await expect(startLink(deps, me, 'youtube', { account_id: user })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('says which scopes were not granted', async () => {
      await save('tiktok_desktop')
      const account = await link('tiktok_desktop', { scopes: ['user.info.basic', 'video.list'] })
      expect(account.scopes.toSorted()).toEqual(['user.info.basic', 'video.list'])
      expect(account.missingScopes.toSorted()).toEqual(['user.info.profile', 'user.info.stats'])
    })

    it('of the same account renews it; of another one makes a second', async () => {
      const first = await linked('google')
      const again = await link('google')
      expect(again.id).toBe(first.id)
      const [, second] = accountsOf(sandbox, 'youtube')
      const other = await link('google', { accountId: second ?? '' })
      expect(other.id).not.toBe(first.id)
      expect((await listAccounts(deps, me)).length).toBe(2)
    })

    it('brings every account of its grant, and one of them is unlinked without ending the others', async () => {
      const first = await linked('facebook_login')
      const [other] = (await listAccounts(deps, me)).filter(each => each.id !== first.id)
      expect(other).toMatchObject({ status: 'connected', kind: 'facebook_login' })
      const otherId = other?.id ?? ''
      const unlink = (accountId: string) => unlinkAccount(deps, me, { platform: 'instagram', accountId })
      expect(await unlink(first.id)).toEqual({ status: 'disconnected', revokedAtPlatform: false })
      await expect(tokenOf(first.id)).rejects.toMatchObject({ class: 'grant' })
      expect(await tokenOf(otherId)).not.toBe('')
      await link('facebook_login', { expected: otherId })
      expect((await rowOf(first.id)).status).toBe('disconnected')
      expect(await unlink(otherId)).toEqual({ status: 'disconnected', revokedAtPlatform: true })
    })

    it('keeps nothing of an account that is not the one that was to be linked again', async () => {
      const first = await linked('google')
      const before = await tokenOf(first.id)
      const [, second] = accountsOf(sandbox, 'youtube')
      await expect(link('google', { expected: first.id, accountId: second ?? '' })).rejects.toMatchObject({
        code: 'CONFLICT',
        message: expect.stringContaining(first.name),
      })
      expect(await listAccounts(deps, me)).toEqual([first])
      expect(await tokenOf(first.id)).toBe(before)
      expect((await link('google', { expected: first.id })).id).toBe(first.id)
    })

    it('fails whole when the platform is away at the end, and leaves no secret behind', async () => {
      await save('google')
      const started = await startLink(deps, me, 'youtube', {})
      const back = await browse(started.authorizationUrl, { family: 'google' })
      sandbox.controls.addFault({ endpoint: 'google.token', fault: { kind: 'status', status: 503 } })
      expect(await finish('youtube', back)).toMatchObject({ refusal: { code: 'UNAVAILABLE' } })
      expect(await readLink(deps, me, started.linkId)).toMatchObject({ status: 'failed' })
      expect(await secretCount()).toBe(1)
    })

    it('never has more than twenty waiting, nor secrets of those that are gone', async () => {
      await save('google')
      const started: StartedLink[] = []
      for (let i = 0; i < 22; i += 1) {
        clock.advance(1000)
        started.push(await startLink(deps, me, 'youtube', {}))
      }
      expect(await secretCount()).toBe(21)
      await expect(readLink(deps, me, started[0]?.linkId ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect(await readLink(deps, me, started.at(-1)?.linkId ?? '')).toMatchObject({ status: 'waiting' })
    })

    it('that nobody came back to is forgotten: its secret in ten minutes, the rest after a day', async () => {
      await save('google')
      const { linkId } = await startLink(deps, me, 'youtube', {})
      expect(await purgeLinks(deps)).toEqual({ links: 0 })
      clock.advance(10 * minuteMs)
      expect(await purgeLinks(deps)).toEqual({ links: 1 })
      expect(await secretCount()).toBe(1)
      expect(await readLink(deps, me, linkId)).toMatchObject({ status: 'failed' })
      clock.advance(dayMs)
      expect(await purgeLinks(deps)).toEqual({ links: 1 })
      await expect(readLink(deps, me, linkId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('is written into the audit log', async () => {
      const account = await linked('google')
      await unlinkAccount(deps, me, { platform: 'youtube', accountId: account.id })
      const { rows } = await rig().db.executeSql('select action, target from audit_log order by id')
      expect(rows).toEqual([
        { action: 'credentials.saved', target: expect.stringMatching(/^credentials:/) },
        { action: 'platform.linked', target: `account:${account.id}` },
        { action: 'platform.unlinked', target: `account:${account.id}` },
      ])
    })
  })

  describe('an account that nobody has read for a day', () => {
    const recheck = (more: Partial<RecheckDeps> = {}) => recheckAccounts({ ...deps, spend: async () => true, ...more })

    it.each(linkKinds)('with %s is asked for who it is, and only then', async kind => {
      await linked(kind)
      expect(await recheck()).toEqual({ answered: 0 })
      clock.advance(dayMs)
      expect(await recheck({ spend: async () => false })).toEqual({ answered: 0 })
      const { length } = await listAccounts(deps, me)
      expect(await recheck()).toEqual({ answered: length })
      const [account] = await listAccounts(deps, me)
      expect(account?.lastValidatedAt).toBe(new Date(clock.nowMs()).toISOString())
    })

    it('is left alone when its numbers were read', async () => {
      const account = await linked('google')
      clock.advance(dayMs)
      const readAt = new Date(clock.nowMs() - hourMs)
      await rig()
        .db.system.insertInto('polls')
        .values({
          task: 'account',
          path: 'own',
          owner_id: user,
          account_id: account.id,
          platform: 'youtube',
          creator_id: account.platformAccountId,
          credential_key: 'any',
          next_poll_at: readAt,
          last_polled_at: readAt,
        })
        .execute()
      expect(await recheck()).toEqual({ answered: 0 })
      expect((await rowOf(account.id)).last_validated_at).toEqual(readAt)
    })

    it('must be linked again when its grant is gone', async () => {
      const account = await linked('google')
      sandbox.controls.revokeAll()
      clock.advance(dayMs)
      expect(await recheck()).toEqual({ answered: 0 })
      expect((await rowOf(account.id)).status).toBe('needs_reauth')
    })
  })

  describe('unlinking', () => {
    it.each(linkKinds)('revokes the tokens of %s there and forgets them here', async kind => {
      const account = await linked(kind)
      const token = await tokenOf(account.id)
      const { platform } = account
      for (const other of await listAccounts(deps, me))
        if (other.id !== account.id) await unlinkAccount(deps, me, { platform, accountId: other.id })
      expect(await unlinkAccount(deps, me, { platform, accountId: account.id })).toEqual({
        status: 'disconnected',
        revokedAtPlatform: true,
      })
      await expect(deps.platforms.data(kind).account({ accessToken: token })).rejects.toMatchObject({ class: 'token' })
      const listed = (await listAccounts(deps, me)).find(each => each.id === account.id)
      expect(listed).toMatchObject({
        status: 'disconnected',
        name: '',
        platformAccountId: account.platformAccountId,
      })
      expect(await secretCount()).toBe(1)
      await expect(tokenOf(account.id)).rejects.toMatchObject({ class: 'grant', code: 'disconnected' })
      expect((await unlinkAccount(deps, me, { platform, accountId: account.id })).status).toBe('disconnected')
      expect((await link(kind)).id).toBe(account.id)
    })

    it('happens here also when the platform does not answer', async () => {
      const account = await linked('tiktok_desktop')
      sandbox.controls.addFault({ endpoint: 'tiktok.revoke', fault: { kind: 'reset' } })
      expect(await unlinkAccount(deps, me, { platform: 'tiktok', accountId: account.id })).toEqual({
        status: 'disconnected',
        revokedAtPlatform: false,
      })
      expect(await secretCount()).toBe(1)
    })

    it('of everything goes on after the rows are gone', async () => {
      const account = await linked('tiktok_desktop')
      const token = await tokenOf(account.id)
      const revokeLinks = await takeRevocations(deps, user)
      await rig().db.executeSql('delete from users')
      await revokeLinks()
      const asking = deps.platforms.data('tiktok_desktop').account({ accessToken: token })
      await expect(asking).rejects.toMatchObject({ class: 'token' })
    })

    it("knows nothing of a stranger's account", async () => {
      const account = await linked('google')
      const other = callerOf(await addUser(rig().db))
      const attempt = unlinkAccount(deps, other, { platform: 'youtube', accountId: account.id })
      await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect((await rowOf(account.id)).status).toBe('connected')
    })
  })

  describe('an access token', () => {
    it('is refreshed shortly before its end, and not sooner', async () => {
      const { id } = await linked('tiktok_desktop')
      const first = await tokenOf(id)
      clock.advance(2 * hourMs - 11 * minuteMs)
      expect(await tokenOf(id)).toBe(first)
      clock.advance(2 * minuteMs)
      const second = await tokenOf(id)
      expect(second).not.toBe(first)
      expect(await tokenOf(id)).toBe(second)
    })

    it('is refreshed once by everybody who needs it at the same time', async () => {
      const { id } = await linked('tiktok_desktop')
      clock.advance(3 * hourMs)
      const before = asked('tiktok.token')
      const tokens = await Promise.all(Array.from({ length: 12 }, () => tokenOf(id)))
      expect(new Set(tokens).size).toBe(1)
      expect(asked('tiktok.token')).toBe(before + 1)
      // The refresh token that came with it is the one that is stored.
      clock.advance(3 * hourMs)
      expect(await tokenOf(id)).not.toBe(tokens[0])
      expect((await rowOf(id)).status).toBe('connected')
    })

    it('that is refused is refreshed once, and the work done with the next', async () => {
      const { id } = await linked('tiktok_desktop')
      sandbox.controls.killAccessTokens()
      const seen: string[] = []
      const account = await withAccessToken(deps, id, async token => {
        seen.push(token)
        return await deps.platforms.data('tiktok_desktop').account({ accessToken: token })
      })
      expect(account.platform).toBe('tiktok')
      expect(new Set(seen).size).toBe(2)
    })

    it('that is refused even when it is new ends the link, without asking for ever', async () => {
      const { id } = await linked('tiktok_desktop')
      const refusal = new PlatformError({
        platform: 'tiktok',
        class: 'token',
        code: 'access_token_invalid',
        message: 'No.',
      })
      let calls = 0
      const attempt = withAccessToken(deps, id, async () => {
        calls += 1
        throw refusal
      })
      await expect(attempt).rejects.toMatchObject({ class: 'grant' })
      expect(calls).toBe(2)
      expect(await rowOf(id)).toMatchObject({ status: 'needs_reauth', reason: 'No.' })
    })

    it('whose grant the platform calls dead in the middle of work ends the link at once', async () => {
      const { id } = await linked('google')
      const refusal = new PlatformError({ platform: 'youtube', class: 'grant', code: 'gone', message: 'Gone.' })
      const before = sandbox.controls.requests.length
      await expect(withAccessToken(deps, id, () => Promise.reject(refusal))).rejects.toBe(refusal)
      expect(sandbox.controls.requests.length).toBe(before)
      expect(await rowOf(id)).toMatchObject({ status: 'needs_reauth', reason: 'Gone.' })
    })

    it.each(linkKinds)('of %s whose grant is dead asks for a new link, and the platform no more', async kind => {
      const { id } = await linked(kind)
      sandbox.controls.revokeAll()
      clock.advance(2 * dayMs)
      const work = (accessToken: string) => deps.platforms.data(kind).account({ accessToken })
      await expect(withAccessToken(deps, id, work)).rejects.toMatchObject({ class: 'grant' })
      const row = await rowOf(id)
      expect(row).toMatchObject({ status: 'needs_reauth', reason: expect.any(String) })
      const before = sandbox.controls.requests.length
      await expect(withAccessToken(deps, id, work)).rejects.toMatchObject({ class: 'grant', message: row.reason })
      expect(sandbox.controls.requests.length).toBe(before)
      expect((await listCredentials(deps, me))[0]?.status).not.toBe('invalid')
      expect(await link(kind)).toMatchObject({ id, status: 'connected', reason: null })
    })

    it('that is still good outlives a platform that is away', async () => {
      const { id } = await linked('tiktok_desktop')
      const first = await tokenOf(id)
      const end = sandbox.controls.addFault({
        endpoint: 'tiktok.token',
        fault: { kind: 'status', status: 503 },
        times: 9,
      })
      clock.advance(2 * hourMs - 5 * minuteMs)
      expect(await tokenOf(id)).toBe(first)
      const tries = asked('tiktok.token')
      expect(await tokenOf(id)).toBe(first)
      expect(asked('tiktok.token')).toBe(tries)
      clock.advance(6 * minuteMs)
      await expect(tokenOf(id)).rejects.toMatchObject({ class: 'server' })
      expect((await rowOf(id)).status).toBe('connected')
      end()
      clock.advance(minuteMs)
      expect(await tokenOf(id)).not.toBe(first)
      expect((await rowOf(id)).reason).toBeNull()
    })

    it('that ended is asked for once a minute while the platform is away, by however many', async () => {
      const { id } = await linked('tiktok_desktop')
      sandbox.controls.addFault({ endpoint: 'tiktok.token', fault: { kind: 'status', status: 503 }, times: 2 })
      clock.advance(3 * hourMs)
      const before = asked('tiktok.token')
      const all = await Promise.allSettled(Array.from({ length: 8 }, () => tokenOf(id)))
      expect(all.map(one => one.status)).toEqual(Array.from({ length: 8 }, () => 'rejected'))
      expect(asked('tiktok.token')).toBe(before + 1)
      await expect(tokenOf(id)).rejects.toMatchObject({ class: 'server', retryAfterMs: minuteMs })
      clock.advance(minuteMs)
      await expect(tokenOf(id)).rejects.toMatchObject({ class: 'server' })
      clock.advance(minuteMs)
      expect(await tokenOf(id)).toEqual(expect.any(String))
      expect(asked('tiktok.token')).toBe(before + 3)
    })

    it('that ended with wrong credentials blames them, and not the user', async () => {
      const { id } = await linked('tiktok_desktop')
      const good = appOf('tiktok_desktop').clientSecret
      await save('tiktok_desktop', { client_secret: 'not-the-right-one' })
      clock.advance(3 * hourMs)
      await expect(tokenOf(id)).rejects.toMatchObject({ class: 'client' })
      expect((await rowOf(id)).status).toBe('connected')
      expect(await statuses()).toEqual([['tiktok_desktop', 'invalid', expect.any(String)]])
      await save('tiktok_desktop', { client_secret: good })
      expect(await tokenOf(id)).toEqual(expect.any(String))
    })

    it("keeps Google's refresh token, which comes once", async () => {
      const { id } = await linked('google')
      const { refresh_token_vault_id: before } = await rowOf(id)
      for (let day = 0; day < 3; day += 1) {
        clock.advance(dayMs)
        await tokenOf(id)
      }
      expect((await rowOf(id)).refresh_token_vault_id).toBe(before)
      expect((await rowOf(id)).token_version).toBe(4)
    })

    it.each(['instagram_login', 'facebook_login'] as const)('of %s is prolonged in its last ten days', async kind => {
      const { id } = await linked(kind)
      const first = await tokenOf(id)
      clock.advance(45 * dayMs)
      expect(await tokenOf(id)).toBe(first)
      clock.advance(8 * dayMs)
      await tokenOf(id)
      expect((await rowOf(id)).token_version).toBe(2)
      clock.advance(20 * dayMs)
      expect(await tokenOf(id)).toEqual(expect.any(String))
      expect((await rowOf(id)).token_version).toBe(2)
    })

    it('is refreshed by another when who was at it died', async () => {
      const { id } = await linked('tiktok_desktop')
      clock.advance(3 * hourMs)
      await rig()
        .db.system.updateTable('platform_accounts')
        .set({ refresh_lease_id: id, refresh_lease_until: new Date(clock.nowMs() + minuteMs) })
        .where('id', '=', id)
        .execute()
      const waiting = tokenOf(id)
      clock.advance(minuteMs)
      expect(await waiting).toEqual(expect.any(String))
      expect(await rowOf(id)).toMatchObject({ token_version: 2, refresh_lease_id: null })
    })

    it('of an account that was unlinked meanwhile is not kept', async () => {
      const { id } = await linked('tiktok_desktop')
      clock.advance(3 * hourMs)
      const { platforms } = deps
      const slow: LinkDeps & CredentialDeps = {
        ...deps,
        platforms: {
          data: platforms.data,
          auth: kind => ({
            ...platforms.auth(kind),
            async refresh(credentials, tokens) {
              const fresh = await platforms.auth(kind).refresh(credentials, tokens)
              await unlinkAccount(deps, me, { platform: 'tiktok', accountId: id })
              return fresh
            },
          }),
        },
      }
      await expect(withAccessToken(slow, id, async token => token)).rejects.toMatchObject({ class: 'grant' })
      expect(await rowOf(id)).toMatchObject({ status: 'disconnected', access_token_vault_id: null })
      expect(await secretCount()).toBe(1)
    })
  })
}

const stranger: Caller = { principal: null, requestId: 'test', address: '127.0.0.1' }

function callerOf(userId: UserId): Caller {
  return {
    principal: { userId, scheme: 'jwt', role: 'user', scopes: 'all', credentialId: null },
    requestId: 'test',
    address: '127.0.0.1',
  }
}

async function addUser(db: Db): Promise<UserId> {
  const row = await db.system
    .insertInto('users')
    .values({ email: null, role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(row.id)
}

/** Who can be signed in as: the first creators of the sandbox's world. */
function accountsOf({ controls }: RunningSandbox, platform: Platform): string[] {
  return [0, 1, 2].flatMap(index => controls.world.creatorAt(platform, index)?.id ?? [])
}
