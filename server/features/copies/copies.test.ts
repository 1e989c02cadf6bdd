import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { MediaPrint } from '../../../analytics/copies/media-prints.ts'
import { CopiesSchema } from '../../../contracts/copies.ts'
import { type FilledAccount, fillAccount } from '../../../test/fill-account.ts'
import { LiveClient } from '../../../test/live-client.ts'
import { openServerRig, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { SeriesAnswerSchema, TrendsAnswerSchema } from '../analytics/routes.ts'
import { copyPrint, forgetPrint, rememberPrint } from './keep-print.ts'

/** Numbers that look random and are the same in every run (xorshift32). */
function words(count: number, seed: number): Uint32Array {
  let state = seed
  return Uint32Array.from({ length: count }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  })
}

const everyHalf = (sec: number) => Array.from({ length: sec * 2 }, (_, index) => index / 2)
/** A minute of pictures and sound, unlike any other. */
const film = { view: 'full', isMirrored: false, atSec: everyHalf(60), words: words(120 * 8, 7) }
const sound = words(480, 8)
const filmPrint: MediaPrint = { views: [film], parts: [], sound }

/** Ten seconds of it, from second 20 on, as seen in a mirror. */
const clipWords = film.words.slice(40 * 8, 60 * 8)
const clipPrint: MediaPrint = {
  views: [{ view: 'full', isMirrored: false, atSec: everyHalf(10), words: words(20 * 8, 9) }],
  parts: [
    { view: 'full', isMirrored: false, atSec: everyHalf(10), words: words(20 * 8, 10) },
    { view: 'full', isMirrored: true, atSec: everyHalf(10), words: clipWords },
  ],
  sound: sound.slice(160, 240),
}
const otherPrint: MediaPrint = {
  views: [{ ...film, words: words(120 * 8, 21) }],
  parts: [{ ...film, words: words(120 * 8, 21) }],
  sound: words(480, 22),
}

const signal = new AbortController().signal
let rig: ServerRig
let server: RunningServer
let stranger: FilledAccount
beforeAll(async () => {
  rig = await openServerRig()
  stranger = await fillAccount(rig, 'copies-stranger@example.com')
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
  for (const [vodId, creatorId] of [
    ['youtube:film', 'youtube:maker'],
    ['tiktok:clip', null],
    ['tiktok:other', null],
    ['youtube:again', 'youtube:maker'],
  ] as const)
    await register(vodId, creatorId)
  const post = { kind: 'clip', title: 'posted', url: '', source: 'import:test', observed_at: '2026-01-30 12:00:00.000' }
  await rig.store.insert('cliptape.videos_v1', [
    { ...post, platform: 'tiktok', video_id: 'clip', creator_id: 'clipper', published_at: '2026-01-30 12:00:00.000' },
    { ...post, platform: 'youtube', video_id: 'again', creator_id: 'maker', published_at: '2026-01-30 12:00:00.000' },
  ])
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

describe('copies among media of one user', () => {
  it('are found when their media is analysed, whichever comes first, and counted by account', async () => {
    expect(await remember('youtube:film', 60, filmPrint)).toBe(0)
    expect(await remember('tiktok:other', 60, otherPrint)).toBe(0)
    expect(await remember('tiktok:clip', 10, clipPrint)).toBe(1)
    const found = await copies('/api/vods/youtube:film/copies?period=7d')
    expect(found).toEqual({
      period: '7d',
      clippers: 1,
      copies: [
        {
          originalVodId: 'youtube:film',
          vodId: 'tiktok:clip',
          ...{ kind: 'both', isMirrored: true, speed: 1, startSec: 20, pictureShare: 1, soundDifference: 0 },
          ...{ title: 'posted', creatorId: 'tiktok:clipper', publishedAt: '2026-01-30T12:00:00.000Z' },
        },
      ],
    })
    expect(await copies('/api/creators/youtube:maker/copies?period=7d')).toEqual(found)
    expect((await copies('/api/vods/youtube:film/copies?period=1h')).clippers).toBe(0)
    expect((await copies('/api/vods/tiktok:clip/copies')).copies).toEqual([])
    // The film once more, after its copy: the same is found, and nothing twice.
    expect(await remember('youtube:film', 60, filmPrint)).toBe(1)
    expect(await copies('/api/vods/youtube:film/copies?period=7d')).toEqual(found)
  })

  it('by the account of the original are listed and not counted', async () => {
    expect(await remember('youtube:again', 10, { ...clipPrint, sound: null })).toBe(1)
    const found = await copies('/api/creators/youtube:maker/copies')
    expect(found.copies.map(({ vodId, kind }) => [vodId, kind])).toEqual([
      ['tiktok:clip', 'both'],
      ['youtube:again', 'picture'],
    ])
    expect(found.clippers).toBe(1)
  })

  it('are counted in lists, lines and descriptions, for their owner alone', async () => {
    const atMs = (at: string) => Date.parse(at)
    const film = { platform: 'youtube', videoId: 'film', creatorId: 'maker' } as const
    await rig.write([
      { ...film, observedAtMs: atMs('2026-01-30T12:00:00Z'), views: 100 },
      { ...film, observedAtMs: atMs('2026-01-31T12:00:00Z'), views: 200 },
    ])
    const lists = '/api/analytics/trends?period=7d&type='
    const line = '/api/analytics/series?metric=clippers&period=7d&bucket=1d&type=creators&id=youtube:maker'
    const seen = async (token: string) => [
      await clippersAt(`${lists}creators`, token),
      await clippersAt(`${lists}clips&sort=clippers`, token),
      await lastValueAt(line, token),
      await describedTo(token),
    ]
    const mine = [1, 1, 1, 1]
    const nothing = ['not_provided', 'not_provided', 'not_provided', 'not_provided']
    expect(await seen(rigToken)).toEqual(mine)
    expect(await seen(await strangersToken())).toEqual(nothing)
    const key = async (...scopes: string[]) => (await post('/api/keys', { name: scopes.join(), scopes })).key ?? ''
    const ext = lists.replace('/api/analytics', '/ext-api/v1')
    expect(await clippersAt(`${ext}creators`, await key('trends:read'))).toBe('not_provided')
    expect(await clippersAt(`${ext}creators`, await key('trends:read', 'vods:read'))).toBe(1)
    // A list that is watched has a new copy as soon as the work that found it is done.
    const client = await LiveClient.open(server.url, rigToken)
    client.subscribe('top', 'trends', { type: 'creators', period: '7d' })
    const counted = (message: { rows?: readonly object[]; upsert?: readonly object[] }) =>
      [...(message.rows ?? message.upsert ?? [])].flatMap(row => ('clippers' in row ? [row.clippers] : []))
    expect(counted(await client.next('snapshot', 'top'))).toEqual([1])
    await rig.store.insert('cliptape.videos_v1', [late])
    await register('instagram:late', null)
    await remember('instagram:late', 10, clipPrint)
    await rig.bus.publish('media.changed', { userId: rig.userId, change: done })
    expect(counted(await client.next('patch', 'top'))).toEqual([2])
    client.socket.close()
    await forgetPrint(rig, { owner: rig.userId, vodId: 'instagram:late' })
  })

  it('are never looked for in media of others', async () => {
    const vod = { owner: stranger.userId, vodId: 'youtube:film', durationSec: 10 }
    expect(await rememberPrint({ store: rig.store, clock: rig.world.clock }, vod, clipPrint, signal)).toBe(0)
    expect((await ask('/api/vods/youtube:nothing/copies')).status).toBe(404)
    expect((await copies('/api/creators/youtube:nobody/copies')).copies).toEqual([])
  })

  it('of the same bytes are found without looking at them again', async () => {
    const vod = { owner: rig.userId, vodId: 'youtube:twin', durationSec: 60 }
    await copyPrint({ store: rig.store, clock: rig.world.clock }, vod, 'tiktok:other', signal)
    expect((await copies('/api/vods/tiktok:other/copies')).copies).toMatchObject([
      { vodId: 'youtube:twin', kind: 'both', startSec: 0, speed: 1, soundDifference: 0 },
    ])
  })

  it('are forgotten with the media, on either side', async () => {
    await forgetPrint(rig, { owner: rig.userId, vodId: 'tiktok:clip' })
    expect((await copies('/api/vods/youtube:film/copies')).copies.map(copy => copy.vodId)).toEqual(['youtube:again'])
    await forgetPrint(rig, { owner: rig.userId, vodId: 'youtube:film' })
    expect((await copies('/api/vods/youtube:film/copies')).copies).toEqual([])
    expect(await remember('tiktok:clip', 10, clipPrint)).toBe(0)
  })
})

const remember = (vodId: string, durationSec: number, print: MediaPrint) =>
  rememberPrint({ store: rig.store, clock: rig.world.clock }, { owner: rig.userId, vodId, durationSec }, print, signal)

const ask = (path: string) => fetch(`${server.url}${path}`, { headers: { Authorization: `Bearer ${rigToken}` } })

const copies = async (path: string) => CopiesSchema.strict().parse(await (await ask(path)).json())

const late = {
  ...{ kind: 'clip', title: 'later', url: '', source: 'import:test', observed_at: '2026-01-31 12:00:00.000' },
  ...{ platform: 'instagram', video_id: 'late', creator_id: 'another', published_at: '2026-01-31 06:00:00.000' },
}
const done = { jobId: 'j', type: 'timeline/analyze', vodId: 'instagram:late', status: 'done' as const, progress: 1 }

const get = async (path: string, token: string) =>
  (await fetch(`${server.url}${path}`, { headers: { Authorization: `Bearer ${token}` } })).json()

/** The clipper count of the first row, or why it has none. */
async function clippersAt(path: string, token: string) {
  const [row] = TrendsAnswerSchema.parse(await get(path, token)).data
  return row?.clippers ?? row?.missing.clippers
}

/** The last value of a line, or why it has none. */
async function lastValueAt(path: string, token: string) {
  const point = SeriesAnswerSchema.parse(await get(path, token)).data.at(-1)
  return point?.value ?? point?.state
}

/** What a live description says. */
async function describedTo(token: string) {
  const client = await LiveClient.open(server.url, token)
  client.subscribe('des', 'describe', { type: 'creators', id: 'youtube:maker', period: '7d' })
  await client.next('snapshot', 'des')
  client.socket.close()
  const fact = client.tables.get('des')?.rows.find(({ key }) => key === 'clippers')
  return fact?.value ?? fact?.state
}

async function post(path: string, body: object): Promise<Record<string, string>> {
  const headers = { Authorization: `Bearer ${rigToken}`, 'Content-Type': 'application/json' }
  const answer = await fetch(`${server.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  return z.record(z.string(), z.string().catch('')).parse(await answer.json())
}

async function strangersToken(): Promise<string> {
  const { access_token = '' } = await post('/api/auth/register', {
    email: 'no-clipper@example.com',
    password: 'a long password of nobody',
  })
  return access_token
}

/** Media of the local owner's that nobody will read. */
async function register(vodId: string, creatorId: string | null): Promise<void> {
  const secret = { purpose: 'media_source', key_id: 'k', wrapped_key: Buffer.alloc(60), ciphertext: Buffer.alloc(60) }
  const { id } = await rig.db.system
    .insertInto('vault_secrets')
    .values({ ...secret, owner_id: rig.userId, external_id: null })
    .returning('id')
    .executeTakeFirstOrThrow()
  const media = { container: 'mp4', durationSec: 60, bytes: 1, video: null, audio: null, trackCount: 1, notes: [] }
  await rig.db.system
    .insertInto('vods')
    .values({
      owner_id: rig.userId,
      vod_id: vodId,
      title: vodId,
      creator_id: creatorId,
      source_kind: 'file',
      source_label: vodId,
      source_vault_id: id,
      content_id: vodId,
      duration_seconds: 60,
      media: JSON.stringify({ ...media, contentId: vodId }),
    })
    .execute()
}
