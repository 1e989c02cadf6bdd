import { afterAll, beforeAll, expect, it } from 'vitest'
import { manualClock } from '../../core/clock.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { type RunningSandbox, startSandbox } from './sandbox.ts'
import { startMs } from './test-sandbox.ts'

let sandbox: RunningSandbox
const clock = manualClock(startMs)
beforeAll(async () => {
  sandbox = await startSandbox({ clock, creatorCount: 5, remote: { moveClock: ms => clock.advance(ms) } })
})
afterAll(() => sandbox.close())

const post = async (path: string, body: unknown) => {
  const answer = await fetch(`${sandbox.url}/_sandbox${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  return { status: answer.status, json: await answer.json() }
}
const channel = () => {
  const id = sandbox.controls.world.creatorAt('youtube', 0)?.id
  return fetch(
    `${sandbox.urls.youtubeData}/youtube/v3/channels?part=id&id=${id}&key=${sandbox.controls.app('google').apiKeys[0]}`,
  )
}

it('has a base address for each host, all of one origin, which the way out lets pass when it is configured', async () => {
  const { graphVersion, ...urls } = sandbox.urls
  expect(graphVersion).toBe('v25.0')
  expect(new Set(Object.values(urls)).size).toBe(11)
  expect(new Set(Object.values(urls).map(url => new URL(url).origin))).toEqual(new Set([sandbox.url]))
  const outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  try {
    expect((await outbound.fetchConfigured(`${sandbox.urls.tiktokApi}/v2/user/info/`)).status).toBe(401)
  } finally {
    await outbound.close()
  }
})

it('says how it stands, and is changed from outside its process', async () => {
  expect((await channel()).status).toBe(200)
  expect(await post('/faults', { endpoint: 'youtube.*', fault: { kind: 'status', status: 503 }, times: null })).toEqual(
    {
      status: 200,
      json: { done: true },
    },
  )
  expect((await channel()).status).toBe(503)
  expect((await channel()).status).toBe(503)
  await post('/faults/clear', {})
  expect((await channel()).status).toBe(200)
  await post('/limits', { youtubeUnits: 1 })
  expect((await channel()).status).toBe(403)
  await post('/quotas/clear', {})
  expect((await channel()).status).toBe(200)
  await post('/clock/advance', { ms: 86_400_000 })
  expect(clock.nowMs()).toBe(startMs + 86_400_000)
  await post('/consent', { family: 'tiktok', consent: { decision: 'deny' } })
  await post('/quirks', { instagramTokenShape: 'flat' })
  const state = await (await fetch(`${sandbox.url}/_sandbox`)).json()
  expect(state).toMatchObject({
    limits: { youtubeUnits: 1 },
    quirks: { instagramTokenShape: 'flat' },
    requests: expect.arrayContaining([expect.objectContaining({ endpoint: 'youtube.channels.list', status: 503 })]),
  })
})

it.each([
  ['/faults', { endpoint: 'youtube.*', fault: { kind: 'unheard of' } }],
  ['/weather', { part: 2 }],
  ['/limits', { youtubeUnits: -1 }],
  ['/clock/advance', { ms: 'soon' }],
])('refuses %s with %j', async (path, body) => {
  expect((await post(path, body)).status).toBe(400)
})

it('keeps its controls to itself unless told', async () => {
  const other = await startSandbox({ clock, creatorCount: 1 })
  try {
    expect((await fetch(`${other.url}/_sandbox`)).status).toBe(404)
    const port = Number(new URL(other.url).port)
    await expect(startSandbox({ clock, port })).rejects.toMatchObject({ code: 'CONFLICT' })
  } finally {
    await other.close()
  }
})

it('knows no address beside those of the platforms', async () => {
  expect((await fetch(`${sandbox.url}/example.com/`)).status).toBe(404)
  expect((await fetch(`${sandbox.urls.youtubeData}/youtube/v3/Videos`)).status).toBe(404)
})
