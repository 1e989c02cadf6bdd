/**
 * Reading from platforms of which every fifth answer is broken, for `CLIPTAPE_FAULT_SECONDS` (30 unless told): late, failed,
 * cut off, truncated, the page before once more, other counters, too fast. Two workers share the work; the clock of one is
 * further ahead than a lease lasts, so that it takes over what the other is still reading. A minute of the platforms passes
 * with every round, so that everything is due again and again, and the day's quota is not enough for it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { memoryBus } from '../core/bus/memory.ts'
import { MasterKeys, masterKey } from '../core/vault/master-key.ts'
import { ownVault } from '../core/vault/own-vault.ts'
import { openPollRig, type PollRig, type RigAccount } from '../ingest/platforms/poll-rig.ts'
import { PollWorker, type PollWorkerDeps } from '../ingest/platforms/poll-worker.ts'
import { QuotaBudget } from '../ingest/platforms/quota-budget.ts'
import { quotaRuleOf } from '../ingest/platforms/quota-rules.ts'
import type { Page, PlatformData, PostReading } from '../platforms/port.ts'
import { PlatformError } from '../platforms/port.ts'
import { weather } from '../platforms/sandbox/faults.ts'
import { credentialsOf, writeCredentials } from '../server/features/credentials/stored.ts'
import { withAccessToken } from '../server/features/links/access-token.ts'
import { storeTokens } from '../server/features/links/account-tokens.ts'

const seconds = Number(process.env.CLIPTAPE_FAULT_SECONDS ?? 30)
/** However slow the machine is. */
const roundsMin = 20
const minuteMs = 60_000
const creatorCount = 24
/** Less than would be asked for. */
const unitsOfDay = 2_000
let poll: PollRig

beforeAll(async () => {
  poll = await openPollRig({ creatorCount, operatorKey: true })
})
afterAll(() => poll.close())

/** Every answer that came whole: by what is read and when, the views of each reading. */
const given = new Map<string, bigint[]>()
const keyOf = (post: { videoId: string; observedAtMs: number }) => `${post.videoId} ${post.observedAtMs}`

/** The same interface; what it gives is written down, as is what it refused for want of quota. */
function watched(data: PlatformData, refusals: string[]): PlatformData {
  const watch = async (
    asked: Promise<Page<PostReading>>,
    ids: readonly string[] | null,
  ): Promise<Page<PostReading>> => {
    try {
      const page = await asked
      for (const post of page.items) {
        if (post.views === null || (ids !== null && !ids.includes(post.videoId))) continue
        const key = keyOf(post)
        given.set(key, [...(given.get(key) ?? []), post.views])
      }
      return page
    } catch (error) {
      if (error instanceof PlatformError && error.class === 'quota') refusals.push(error.message)
      throw error
    }
  }
  const { details } = data
  return {
    ...data,
    posts: (...asked) => watch(data.posts(...asked), null),
    metrics: (access, account, ids) => watch(data.metrics(access, account, ids), ids),
    details: details === null ? null : (access, ids) => watch(details(access, ids), ids),
  }
}

/** Puts what an account was granted into a vault, as linking it does. */
async function keepTokens(
  vault: ReturnType<typeof ownVault>,
  { id, vaultId, credentials, tokens }: RigAccount,
): Promise<void> {
  const { db, ownerId } = poll.rig.deps
  await db.transaction(async trx => {
    const platform = credentials.kind === 'google' ? 'youtube' : 'tiktok'
    const secret = await vault.put(trx, credentialsOf(ownerId), writeCredentials(credentials))
    const places = { userId: ownerId, platform, accessId: null, refreshId: null } as const
    await trx
      .updateTable('platform_accounts')
      .set(await storeTokens(vault, trx, places, { tokens, nowMs: poll.test.clock.nowMs() }))
      .set({ developer_credentials_vault_id: secret })
      .where('id', '=', id)
      .execute()
    await trx.deleteFrom('vault_secrets').where('id', '=', vaultId).execute()
  })
}

it('loses and doubles no reading, overspends no quota and keeps every token while a fifth of all answers is broken', {
  timeout: (seconds + 240) * 1000,
}, async () => {
  const { rig, test, platforms, deps } = poll
  const { controls } = test.sandbox
  const { clock } = test
  const { db, ownerId, log } = rig.deps
  const vault = ownVault(new MasterKeys(masterKey('key of the test, long enough to be one')))
  const bus = memoryBus({ log })
  const accounts = [await poll.link('google', { index: 2 }), await poll.link('tiktok_desktop', { index: 1 })]
  for (const account of accounts) await keepTokens(vault, account)
  controls.limits.youtubeUnits = unitsOfDay
  const ids = Array.from({ length: creatorCount }, (_, place) => controls.world.creatorAt('youtube', place)?.id ?? '')
  await db.system
    .insertInto('monitored_creators')
    .values(ids.map(id => ({ owner_id: ownerId, platform: 'youtube' as const, creator_id: id })))
    .execute()

  const refusals: string[] = []
  const workerAhead = (aheadMs: number) => {
    const own = { nowMs: () => clock.nowMs() + aheadMs, speed: 1 }
    const ruleOf = (bucket: string) =>
      bucket === 'youtube:units' ? ({ kind: 'day', units: unitsOfDay } as const) : quotaRuleOf(bucket)
    const parts: PollWorkerDeps = {
      ...deps,
      clock: own,
      budget: new QuotaBudget({ db, clock: own, ruleOf }),
      platforms: { data: kind => watched(platforms.data(kind), refusals) },
      withAccessToken: (accountId, work) => withAccessToken({ db, vault, platforms, bus, clock, log }, accountId, work),
      random: Math.random,
    }
    return new PollWorker(parts)
  }
  const workers = [workerAhead(0), workerAhead(2.5 * minuteMs)]

  await poll.plan()
  const parts = [...weather(0.18), { endpoint: '*', fault: { kind: 'counters', factor: 1.5 }, part: 0.02 } as const]
  // A refresh whose answer is lost ends a link of TikTok's there as well: nobody could keep it.
  for (const endpoint of ['youtube.*', 'tiktok.video.*', 'tiktok.user.*'])
    for (const rule of parts) controls.addFault({ ...rule, endpoint, times: Number.POSITIVE_INFINITY })
  const endMs = performance.now() + seconds * 1000
  for (let round = 1; round <= roundsMin || performance.now() < endMs; round++) {
    await Promise.all(workers.map(worker => worker.run()))
    clock.advance(minuteMs)
    if (round % 15 === 0) controls.killAccessTokens()
    if (round % 10 === 0) await poll.plan()
  }
  controls.clearFaults()
  await Promise.all(workers.map(worker => worker.close()))

  const stored = await poll.ask<{ video_id: string; at: string; views: string; count: number }>(
    ['samples_v1', 'own_samples_v1']
      .map(
        table => `SELECT video_id, toString(toUnixTimestamp64Milli(observed_at)) AS at, toString(any(views)) AS views,
          toUInt32(count()) AS count FROM cliptape.${table} FINAL GROUP BY video_id, observed_at`,
      )
      .join(' UNION ALL '),
  )
  const kept = new Map<string, string[]>()
  for (const { video_id, at, views, count } of stored) {
    expect(count).toBe(1)
    const key = `${video_id} ${at}`
    kept.set(key, [...(kept.get(key) ?? []), views])
  }
  expect(given.size).toBeGreaterThan(1_000)
  expect([...given.keys()].filter(key => !kept.has(key))).toEqual([])
  expect([...kept.keys()].filter(key => !given.has(key))).toEqual([])
  const isGiven = (key: string, views: string) => given.get(key)?.some(each => String(each) === views)
  expect([...kept].filter(([key, all]) => !all.every(views => isGiven(key, views)))).toEqual([])

  expect(refusals).toEqual([])
  const spent = Object.entries(controls.usedToday()).filter(([name]) => name.endsWith('youtube:units'))
  for (const [, units] of spent) expect(units).toBeLessThanOrEqual(unitsOfDay)
  expect(controls.requests.filter(each => each.fault === null && each.status === 429)).toEqual([])

  for (const { id, credentials } of accounts) {
    const work = async (accessToken: string) => await platforms.data(credentials.kind).account({ accessToken })
    expect(await withAccessToken({ db, vault, platforms, bus, clock, log }, id, work)).toMatchObject({
      creatorId: accounts.find(account => account.id === id)?.platformAccountId,
    })
  }
  const rows = await db.system.selectFrom('platform_accounts').select('status').execute()
  expect(rows).toEqual([{ status: 'connected' }, { status: 'connected' }])
})
