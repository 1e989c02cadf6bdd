import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type AnalyticsRig, startAnalyticsRig } from '../../../analytics/test-rig.ts'
import { BreakoutSchema } from '../../../contracts/webhooks.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import { manualClock } from '../../../core/clock.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import type { Db } from '../../../core/db/port.ts'
import { openTestDb } from '../../../core/db/test-db.ts'
import { MasterKeys, masterKey } from '../../../core/vault/master-key.ts'
import { ownVault } from '../../../core/vault/own-vault.ts'
import { tellBreakouts } from './breakouts.ts'
import { signingSecretOf } from './service.ts'

const now = '2024-02-20T00:00:00'
const nowMs = Date.parse(`${now}Z`)
const hourMs = 3_600_000
const log = pino({ level: 'silent' })
const clock = manualClock(nowMs)

let analytics: AnalyticsRig
let db: Db
beforeAll(async () => {
  ;[analytics, db] = await Promise.all([startAnalyticsRig(), openTestDb()])
})
afterAll(async () => {
  await Promise.all([analytics.close(), db.close()])
})
beforeEach(async () => {
  clock.set(nowMs)
  await analytics.fresh(now)
  await db.executeSql('delete from webhooks; delete from vault_secrets')
})

/** A creator whose six earlier uploads had `usual` views at each of the ages, and one video of his own readings. */
async function post(video: {
  id: string
  usual: number
  /** Before now, in hours. */
  publishedHours: number
  /** Hours before now, and views then. */
  readings: [hours: number, views: number][]
}): Promise<void> {
  const at = (ms: number) => new Date(ms).toISOString().replace('Z', '')
  const publishedMs = nowMs - video.publishedHours * hourMs
  const creator = `of-${video.id}`
  const peers = [1, 2, 3, 4, 5, 6].map(n => ({
    video: `${video.id}-${n}`,
    publishedMs: publishedMs - n * 14 * 24 * hourMs,
  }))
  await analytics.videos([
    { video: video.id, creator, publishedAt: at(publishedMs) },
    ...peers.map(peer => ({ video: peer.video, creator, publishedAt: at(peer.publishedMs) })),
  ])
  const ages = video.readings.map(([hours]) => video.publishedHours - hours)
  await analytics.samples([
    ...video.readings.map(([hours, views]) => ({ video: video.id, creator, at: at(nowMs - hours * hourMs), views })),
    ...peers.flatMap(peer =>
      ages.map(age => ({ video: peer.video, creator, at: at(peer.publishedMs + age * hourMs), views: video.usual })),
    ),
  ])
}

async function addWebhook(status: 'active' | 'paused' = 'active'): Promise<void> {
  const owner = await ensureLocalOwner(db)
  const vault = ownVault(new MasterKeys(masterKey('key of the test, long enough to be one')))
  const secret = await db.asUser(owner, trx => vault.put(trx, signingSecretOf(owner), 'whsec_a'))
  await db.system
    .insertInto('webhooks')
    .values({
      owner_id: owner,
      url: 'https://hooks.example/',
      events: ['video.breakout'],
      secret_vault_id: secret,
      status,
      status_reason: null,
    })
    .execute()
}

async function toldOf(): Promise<string[]> {
  await analytics.settle()
  await tellBreakouts({ db, bus: memoryBus({ log }), clock, log }, analytics.ctx)
  const rows = await db.system.selectFrom('webhook_deliveries').select('payload').orderBy('created_at').execute()
  return rows.map(row => BreakoutSchema.parse(row.payload).videoId).sort()
}

it('tells of a young video with five times its creator’s usual views, ten thousand of them, at 500 an hour', async () => {
  await post({ id: 'breaks', usual: 2_000, publishedHours: 20, readings: [[1, 20_000]] })
  await post({ id: 'usual', usual: 4_100, publishedHours: 20, readings: [[1, 20_000]] })
  await post({ id: 'small', usual: 1_000, publishedHours: 20, readings: [[1, 9_999]] })
  await post({
    id: 'slow',
    usual: 2_000,
    publishedHours: 72,
    readings: [
      [25, 19_000],
      [1, 20_000],
    ],
  })
  await post({
    id: 'old',
    usual: 2_000,
    publishedHours: 7 * 24 + 1,
    readings: [
      [25, 1_000],
      [1, 20_000],
    ],
  })
  await addWebhook()
  expect(await toldOf()).toEqual(['youtube:breaks'])
  const { payload } = await db.system.selectFrom('webhook_deliveries').select('payload').executeTakeFirstOrThrow()
  expect(payload).toEqual({
    videoId: 'youtube:breaks',
    url: 'https://example.com/breaks',
    title: 'breaks',
    creatorId: 'youtube:of-breaks',
    creatorName: null,
    publishedAt: '2024-02-19T04:00:00.000Z',
    views: 20_000,
    gain: 20_000,
    velocity: 20_000 / 19,
    outlier: 10,
    asOf: '2024-02-20T00:00:00.000Z',
  })
})

it('tells each webhook once, however long a video goes on, and a new webhook of what breaks out already', async () => {
  await addWebhook()
  await post({ id: 'a', usual: 2_000, publishedHours: 20, readings: [[1, 20_000]] })
  expect(await toldOf()).toEqual(['youtube:a'])
  expect(await toldOf()).toEqual(['youtube:a'])
  await addWebhook()
  expect(await toldOf()).toEqual(['youtube:a', 'youtube:a'])
})

it('computes nothing while nobody wants to know', async () => {
  await addWebhook('paused')
  const nothing = {
    get store(): never {
      throw new Error('The analytics store was asked.')
    },
    world: analytics.ctx.world,
    niches: analytics.ctx.niches,
  }
  expect(await tellBreakouts({ db, bus: memoryBus({ log }), clock, log }, nothing)).toBe(0)
})
