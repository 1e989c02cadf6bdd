import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ControlFailureSchema } from '../../../contracts/control.ts'
import { type CreatorAnswer, ListedCreatorSchema, MonitoredSchema } from '../../../contracts/crm.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'

const channel = 'UCX6OQ3DkcsbYNE6H8uQQuVA'
const List = z.strictObject({ data: z.array(ListedCreatorSchema), nextCursor: z.string().optional() })

/** What platforms say, by platform and name. */
const answers = new Map<string, CreatorAnswer>()
let rig: ServerRig
let server: RunningServer
beforeAll(async () => {
  rig = await openServerRig()
  const observedAtMs = rigNow.getTime() - 60_000
  await rig.write([
    { platform: 'youtube', videoId: 'v1', creatorId: 'c1', observedAtMs, views: 10 },
    { platform: 'youtube', videoId: 'v2', creatorId: 'c2', observedAtMs, views: 10 },
    { platform: 'tiktok', videoId: 'v3', creatorId: 'c3', observedAtMs, views: 10 },
  ])
  const named = (platform: string, creator_id: string, handle: string) => ({
    ...{ platform, creator_id, name: '', handle, source: 'import:test' },
    observed_at: '2026-01-31 11:00:00.000',
  })
  await rig.store.insert('cliptape.creators_v1', [
    named('youtube', 'c2', 'TwoFold'),
    named('youtube', 'c1', 'same.name'),
    named('tiktok', 'c3', 'same.name'),
  ])
  const deps = await rig.deps()
  const findCreator: typeof deps.findCreator = async ({ platform, ref }) =>
    answers.get(`${platform}:${ref.value}`) ?? { found: null, isUnknown: false, reason: 'This test asks no platform.' }
  server = await startServer({ ...deps, findCreator }, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

describe('watching creators', () => {
  it('takes a known id, an id of a platform, its address, and the handle of a creator that was read', async () => {
    expect(await watch('youtube:c1')).toMatchObject({ isNew: true, creator: { creatorId: 'youtube:c1', videos: 1 } })
    expect(await watch('youtube:c1')).toMatchObject({ isNew: false, creator: { monitored: true } })
    expect(await watch(`https://www.youtube.com/channel/${channel}`)).toMatchObject({
      isNew: true,
      creator: { creatorId: `youtube:${channel}`, name: channel, videos: 0, followers: null },
    })
    expect((await watch(channel)).isNew).toBe(false)
    expect((await watch('youtube.com/@twofold')).creator.creatorId).toBe('youtube:c2')
    expect((await watch('https://www.tiktok.com/@same.name/video/7')).creator.creatorId).toBe('tiktok:c3')
    expect(await list('monitored=true')).toEqual(['tiktok:c3', 'youtube:c1', 'youtube:c2', `youtube:${channel}`])
  })

  it('asks which of several is meant, and says what is not known', async () => {
    const refusal = async (body: object) => {
      const answer = await send('POST', '', body)
      return [answer.status, ControlFailureSchema.parse(await answer.json()).error.message]
    }
    expect(await refusal({ creator: '@same.name' })).toEqual([400, expect.stringContaining('tiktok:c3, youtube:c1')])
    expect((await send('POST', '', { creator: '@same.name', platform: 'tiktok' })).status).toBe(200)
    expect(await refusal({ creator: 'https://example.com/who' })).toEqual([400, expect.stringContaining('no creator')])
    expect(await refusal({ creator: 'youtube:c3' })).toEqual([409, expect.any(String)])
  })

  it('marks each creator of a search, and narrows it to those that are watched or not', async () => {
    await watch('youtube:c1')
    expect((await send('DELETE', '/youtube:c2')).status).toBe(204)
    expect((await send('DELETE', '/youtube:c2')).status).toBe(204)
    const found = List.parse(await (await ask('search=c')).json()).data
    expect(found.map(row => [row.creatorId, row.monitored])).toEqual([
      ['tiktok:c3', true],
      ['youtube:c1', true],
      ['youtube:c2', false],
    ])
    expect(await list('monitored=false')).toEqual(['youtube:c2'])
    expect(await list('monitored=true&search=c1')).toEqual(['youtube:c1'])
    const first = List.parse(await (await ask('monitored=true&limit=1')).json())
    expect(await list(`monitored=true&cursor=${first.nextCursor}`)).toEqual(['youtube:c1', `youtube:${channel}`])
  })

  it('shows nobody what another watches', async () => {
    const other = await rig.db.system
      .insertInto('users')
      .values({ email: 'watcher@example.com', role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    await rig.db.system
      .insertInto('monitored_creators')
      .values({ owner_id: other.id, platform: 'youtube', creator_id: 'c2' })
      .execute()
    expect(await list('monitored=true')).not.toContain('youtube:c2')
    await send('DELETE', '/youtube:c2')
    const { count } = await rig.db.system
      .selectFrom('monitored_creators')
      .select(eb => eb.fn.countAll<string>().as('count'))
      .where('owner_id', '=', other.id)
      .executeTakeFirstOrThrow()
    expect(Number(count)).toBe(1)
  })

  it('asks the platforms for who has not been read, and says why they know nobody', async () => {
    answers.set('youtube:newcomer', { found: { creatorId: 'UCnewcomer', handle: 'newcomer' } })
    answers.set('instagram:newcomer', { found: null, isUnknown: true, reason: 'Instagram has nobody by that name.' })
    expect(await watch('@newcomer')).toMatchObject({ isNew: true, creator: { creatorId: 'youtube:UCnewcomer' } })
    answers.set('instagram:pictures', { found: { creatorId: '17841', handle: 'pictures' } })
    expect(await watch('https://www.instagram.com/pictures/')).toMatchObject({
      creator: { creatorId: 'instagram:17841' },
    })
    const kept = await rig.db.system
      .selectFrom('monitored_creators')
      .select(['creator_id', 'handle'])
      .where('platform', '=', 'instagram')
      .execute()
    expect(kept).toEqual([{ creator_id: '17841', handle: 'pictures' }])
    const refusal = async (creator: string) => {
      const answer = await send('POST', '', { creator })
      return [answer.status, ControlFailureSchema.parse(await answer.json()).error.message]
    }
    // Both platforms that can be asked have one.
    answers.set('instagram:newcomer', { found: { creatorId: '17842', handle: 'newcomer' } })
    expect(await refusal('@newcomer')).toEqual([400, expect.stringContaining('youtube:UCnewcomer, instagram:17842')])
    expect(await refusal('@nobody')).toEqual([409, expect.stringContaining('asks no platform')])
    for (const platform of ['youtube', 'tiktok', 'instagram'])
      answers.set(`${platform}:nobody`, {
        found: null,
        isUnknown: true,
        reason: `${platform} has nobody by that name.`,
      })
    expect(await refusal('@nobody')).toEqual([404, expect.stringContaining('tiktok has nobody')])
    answers.set('youtube:UCgone567890123456789012', { found: null, isUnknown: true, reason: 'Gone.' })
    expect(await refusal('https://www.youtube.com/channel/UCgone567890123456789012')).toEqual([404, 'Gone.'])
  })

  it('lets nobody use up the key of all with questions', async () => {
    for (let count = 0; count < 60; count++) await send('POST', '', { creator: `@nobody${count}`, platform: 'youtube' })
    const answer = await send('POST', '', { creator: '@newcomer2', platform: 'youtube' })
    expect([answer.status, await answer.text()]).toEqual([409, expect.stringContaining('60 creators within an hour')])
    expect((await watch('youtube:c1')).creator.creatorId).toBe('youtube:c1')
  })
})

const headers = { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json' }

function send(method: string, path: string, body?: object): Promise<Response> {
  const url = `${server.url}/api/creators/monitor${path}`
  return fetch(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
}

async function watch(creator: string) {
  return MonitoredSchema.strict().parse(await (await send('POST', '', { creator })).json())
}

function ask(query: string): Promise<Response> {
  return fetch(`${server.url}/api/creators?${query}`, { headers })
}

async function list(query: string): Promise<string[]> {
  return List.parse(await (await ask(query)).json()).data.map(row => row.creatorId)
}
