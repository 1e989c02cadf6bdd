import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { manualClock } from '../../../core/clock.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import { openPlatforms } from '../../../platforms/clients.ts'
import type { PostReading } from '../../../platforms/port.ts'
import { type RunningSandbox, startSandbox } from '../../../platforms/sandbox/sandbox.ts'
import { type ClipRig, openClipRig } from '../../../test/clip-rig.ts'
import { fillAccount } from '../../../test/fill-account.ts'
import { sampleFile, testMediaDesk } from '../../../test/media-desk.ts'
import { rigNow } from '../../../test/server-rig.ts'
import { tokenPlace } from '../links/account-tokens.ts'

// A creator's own Instagram posts, from the list of them to a clip: the real client, and the sandbox of the platform.

const clock = manualClock(rigNow.getTime())
const folder = mkdtempSync(join(tmpdir(), 'cliptape-own-posts-'))
const redirectUri = 'https://app.example/back'
let sandbox: RunningSandbox
let outbound: Outbound
let rig: ClipRig
let accountId: string
let posts: readonly PostReading[]
/** One of the newest whose file the platform gives. */
let reel: PostReading

beforeAll(async () => {
  sandbox = await startSandbox({ clock, creatorCount: 8, redirectUris: [redirectUri], videoFile: sampleFile })
  outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  const platforms = openPlatforms({ outbound, clock, urls: sandbox.urls })
  rig = await openClipRig({ over: { clock, outbound, platforms, media: testMediaDesk({ folder, clock, outbound }) } })
  const token = await ownToken()
  const data = platforms.data('instagram_login')
  const account = await data.account({ accessToken: token })
  posts = (await data.posts({ accessToken: token }, account, null)).items
  accountId = await link(account.creatorId, token)
  const { db, userId } = rig.rig
  for (const { videoId, creatorId, product, title, publishedAtMs } of posts)
    await db.system
      .insertInto('polled_posts')
      .values({
        ...{ scope: accountId, platform: 'instagram', video_id: videoId, creator_id: creatorId },
        ...{ owner_id: userId, account_id: accountId, credential_key: 'own', product, title },
        published_at: new Date(publishedAtMs ?? 0),
      })
      .execute()
  await rig.rig.write([
    { platform: 'instagram', videoId: '1', creatorId: 'somebody', observedAtMs: rigNow.getTime() - 60_000, views: 500 },
  ])
  const given = await Promise.all(
    posts.map(post =>
      data.ownVideo?.({ accessToken: token }, post.videoId).then(
        () => post,
        () => null,
      ),
    ),
  )
  const first = given.find(post => post?.product === 'REELS')
  if (!first) throw new Error('The sandbox gives the files of most posts.')
  reel = first
})
afterAll(async () => {
  await rig.close()
  await outbound.close()
  await sandbox.close()
  rmSync(folder, { recursive: true, force: true })
})

async function ownToken(): Promise<string> {
  const { clientId, clientSecret } = sandbox.controls.app('instagram')
  const auth = openPlatforms({ outbound, clock, urls: sandbox.urls }).auth('instagram_login')
  sandbox.controls.autoConsent('instagram', { decision: 'allow' })
  const credentials = { kind: 'instagram_login', clientId, clientSecret, apiKey: null } as const
  const codeVerifier = 'v'.repeat(64)
  const scopes = auth.scopesOf('instagram_login')
  const page = auth.authorizationUrl({ credentials, redirectUri, state: 's', scopes, codeVerifier })
  const back = await fetch(page, { redirect: 'manual' })
  const answer = auth.readCallback(Object.fromEntries(new URL(back.headers.get('location') ?? '').searchParams))
  if ('error' in answer) throw new Error(answer.description)
  return (await auth.exchangeCode({ credentials, redirectUri, codeVerifier, code: answer.code })).accessToken
}

async function link(platformAccountId: string, token: string): Promise<string> {
  const { deps } = rig
  const { db, userId } = rig.rig
  const row = await db.transaction(async trx =>
    trx
      .insertInto('platform_accounts')
      .values({
        ...{ user_id: userId, platform_name: 'instagram', platform_account_id: platformAccountId },
        credentials_kind: 'instagram_login',
        handle: 'me',
        access_token_vault_id: await deps.vault.put(
          trx,
          tokenPlace({ userId, platform: 'instagram' }, 'access_token'),
          token,
        ),
        scopes: ['instagram_business_basic'],
      })
      .returning('id')
      .executeTakeFirstOrThrow(),
  )
  return row.id
}

const attach = (nativeId: string) =>
  rig.call('POST', `/api/vods/instagram:${nativeId}/source`, { source: { type: 'instagram' } })

it('are marked in the list as attached in one step, videos alone', async () => {
  const address = `/api/creators/instagram:${reel.creatorId}`
  expect((await rig.call('GET', address)).body.data).toMatchObject({ handle: 'me', videos: posts.length })
  const { body: first } = await rig.call('GET', `${address}/vods?limit=20`)
  const { body: rest } = await rig.call('GET', `${address}/vods?limit=100&cursor=${first.nextCursor}`)
  const listed = [...first.data, ...rest.data]
  expect(listed.map((one: { vodId: string }) => one.vodId)).toEqual(posts.map(post => `instagram:${post.videoId}`))
  const marked = listed.filter((one: { attachAs?: string }) => one.attachAs === 'instagram')
  const reels = posts.filter(post => post.product === 'REELS')
  expect(marked.map((one: { vodId: string }) => one.vodId).sort()).toEqual(
    reels.map(post => `instagram:${post.videoId}`).sort(),
  )
  expect(reels.length).toBeLessThan(posts.length)
})

it('are attached without naming an address, and cut when that has expired', async () => {
  const vodId = `instagram:${reel.videoId}`
  expect(await attach(reel.videoId)).toMatchObject({
    status: 201,
    body: { vodId, source: 'attached', sourceKind: 'instagram', sourceLabel: 'Instagram', duration: 60 },
  })
  const secrets = JSON.stringify(await rig.rig.db.system.selectFrom('vods').selectAll().execute())
  expect(secrets).not.toContain('oe=')

  clock.advance(2 * 3_600_000)
  const asked = sandbox.controls.requests.filter(one => one.endpoint === 'instagram.node').length
  const { body } = await rig.call('POST', '/api/clips/request', { vodId, startTime: 10, endTime: 14, mode: 'keyframe' })
  await rig.worker.drain()
  expect((await rig.call('GET', `/api/clips/status/${body.requestId}`)).body).toMatchObject({
    status: 'ready',
    result: { tier: 'preview', frameCount: 120 },
  })
  expect(sandbox.controls.requests.filter(one => one.endpoint === 'instagram.node')).toHaveLength(asked + 1)
})

it("are the user's own: not somebody else's, no pictures, and none of an account that is no longer linked", async () => {
  expect(await attach('1')).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('you have linked') } },
  })
  const picture = posts.find(post => post.product === 'FEED')
  expect(await attach(picture?.videoId ?? '')).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('no video') } },
  })
  const { db, userId } = rig.rig
  const other = (await fillAccount(rig.rig, 'other@example.com')).userId
  await db.system.updateTable('platform_accounts').set({ user_id: other }).where('id', '=', accountId).execute()
  expect((await attach(reel.videoId)).status).toBe(400)
  await db.system.updateTable('platform_accounts').set({ user_id: userId }).where('id', '=', accountId).execute()
  await db.system.updateTable('platform_accounts').set({ status: 'needs_reauth' }).where('id', '=', accountId).execute()
  expect((await attach(reel.videoId)).status).toBe(400)
})
