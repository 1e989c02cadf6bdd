import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AnalyticsContext } from '../../../analytics/context.ts'
import { type Alert, type AlertRequest, AlertRequestSchema, BacktestSchema } from '../../../contracts/alerts.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { SavedQueryRequestSchema } from '../../../contracts/queries.ts'
import { manualClock } from '../../../core/clock.ts'
import { smtpMailer } from '../../../core/mail/smtp.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import { LiveClient } from '../../../test/live-client.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { type RunningServer, startServer } from '../../server.ts'
import { createQuery } from '../queries/service.ts'
import { WebhookSender } from '../webhooks/sender.ts'
import { createWebhook } from '../webhooks/service.ts'
import { listFirings } from './firings.ts'
import { sendAlertMails } from './mails.ts'
import type { SavedQueries } from './read-rule.ts'
import { savedQueriesOf } from './saved-queries.ts'
import { changeAlert, createAlert, getAlert, muteAlert } from './service.ts'
import { AlertWatcher } from './watcher.ts'

const hourMs = 3_600_000
const startMs = rigNow.getTime()
const clock = manualClock(startMs)

let rig: ServerRig
let deps: ServerDeps
let server: RunningServer
let queries: SavedQueries
let watcher: AlertWatcher
/** A saved query; what it gives is up to the test. */
let queryId = ''
/** Each test has a clip of its own. */
let clip = 0

beforeAll(async () => {
  rig = await openServerRig()
  deps = { ...(await rig.deps()), clock }
  server = await startServer(deps, { host: '127.0.0.1', port: 0 })
  const saved = SavedQueryRequestSchema.parse({ name: 'Rows', sql: 'SELECT 1 AS n' })
  queryId = (await createQuery(deps, callerOf(rig.userId), saved)).id
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})
beforeEach(async () => {
  await rig.db.executeSql('delete from alerts')
  clock.set(startMs)
  clip += 1
  queries = { run: async () => ({ columns: [], rows: [] }), hasInstant: async () => false }
  watcher = newWatcher()
})

const analytics = (): AnalyticsContext => ({
  store: rig.store,
  world: { database: 'cliptape', clock },
  niches: deps.niches(),
})
const newWatcher = () => new AlertWatcher({ ...deps, analytics, queries: { ...queries } })
const videoId = () => `alert${clip}`

async function read(views: number, hours: number): Promise<void> {
  const observedAtMs = startMs + hours * hourMs
  await rig.write([{ platform: 'youtube', videoId: videoId(), creatorId: 'c1', observedAtMs, views }])
}

function callerOf(userId: UserId): Caller {
  const principal = { userId, scheme: 'jwt', role: 'owner', scopes: 'all', credentialId: null } as const
  return { principal, requestId: 'r', address: '127.0.0.1' }
}

const viewsAbove = (value: number, rule: object = {}): AlertRequest =>
  AlertRequestSchema.parse({
    name: 'Many views',
    rule: {
      measure: { source: 'subject', type: 'clips', id: `youtube:${videoId()}`, metric: 'views' },
      condition: { kind: 'threshold', value },
      cooldownSeconds: 0,
      ...rule,
    },
  })
const countAbove = (value: number): AlertRequest =>
  AlertRequestSchema.parse({
    name: 'Many rows',
    rule: {
      measure: { source: 'query', queryId, read: 'count' },
      condition: { kind: 'threshold', value },
    },
  })
const make = (request: AlertRequest, userId = rig.userId) => createAlert(deps, callerOf(userId), request)
const firingsOf = async (alert: Alert, userId = rig.userId) =>
  (await listFirings(deps, callerOf(userId), { alertId: alert.id, isUnseen: false, limit: 50, before: null })).rows

/** Looks at the alerts some hours after the beginning. */
async function lookAt(hours: number, by = watcher): Promise<void> {
  clock.set(startMs + hours * hourMs)
  await by.run()
}

describe('an alert', () => {
  it('fires when its clip goes above the value, with the row that caused it, and again when it was armed', async () => {
    const alert = await make(viewsAbove(1000, { condition: { kind: 'threshold', value: 1000, rearm: 500 } }))
    await read(900, 0)
    await lookAt(0)
    expect(await getAlert(deps, callerOf(rig.userId), alert.id)).toMatchObject({ state: 'armed', value: 900 })
    await read(1500, 1)
    await lookAt(1)
    await lookAt(2)
    expect(await firingsOf(alert)).toMatchObject([
      {
        name: 'Many views',
        version: 1,
        at: new Date(startMs + hourMs).toISOString(),
        sentence: `youtube:${videoId()}: views 1,500, above 1,000.`,
        value: 1500,
        rows: [{ key: `youtube:${videoId()}`, value: 1500, type: 'clips' }],
        isReplay: false,
        deliveries: [{ channel: 'terminal', status: 'delivered' }],
      },
    ])
    expect(await getAlert(deps, callerOf(rig.userId), alert.id)).toMatchObject({ state: 'firing', unseenCount: 1 })
    await read(400, 3)
    await lookAt(3)
    await read(1200, 4)
    await lookAt(4)
    expect((await firingsOf(alert)).map(({ value }) => value)).toEqual([1200, 1500])
  })

  it('tells of a change against the value a window ago, as hand says', async () => {
    const change = { kind: 'change', by: 50, unit: 'percent', over: '1h' }
    const alert = await make(viewsAbove(0, { condition: change }))
    for (const [hours, views] of [
      [0, 1000],
      [1, 1500],
      [2, 2265],
    ] as const) {
      await read(views, hours)
      await lookAt(hours)
    }
    // 1,500 is 50 % more than 1,000 and not above it; 2,265 is 51 % more than 1,500.
    expect(await firingsOf(alert)).toMatchObject([
      { value: 51, sentence: expect.stringContaining('from 1,500 to 2,265'), rows: [{ value: 2265, before: 1500 }] },
    ])
  })

  it('tells who is new among the first of a list, and takes who is there at first for known', async () => {
    const measure = { source: 'list', type: 'clips', creator: `youtube:of${clip}`, sort: 'views', metric: 'views' }
    const alert = await make(viewsAbove(0, { measure, condition: { kind: 'entrant', top: 2 } }))
    const write = (id: string, views: number, hours: number) =>
      rig.write([
        {
          platform: 'youtube',
          videoId: `${videoId()}${id}`,
          creatorId: `of${clip}`,
          observedAtMs: startMs + hours * hourMs,
          views,
        },
      ])
    await write('a', 300, 0)
    await write('b', 200, 0)
    await write('c', 100, 0)
    await lookAt(0)
    await write('c', 250, 1)
    await lookAt(1)
    expect(await firingsOf(alert)).toMatchObject([
      { value: 1, rows: [{ key: `youtube:${videoId()}c`, rank: 2, value: 250 }] },
    ])
  })

  it('tells of a clip that has several times the views that its creator’s others had at its age', async () => {
    // Five others had 100 views when they were six hours old, as this one is now, with 550.
    const uploads = [0, 1, 2, 3, 4, 5].map(days => ({
      id: days === 0 ? videoId() : `${videoId()}of${days}`,
      publishedMs: startMs - days * 24 * hourMs - 6 * hourMs,
      views: days === 0 ? 550 : 100,
    }))
    await rig.store.insert(
      'cliptape.videos_v1',
      uploads.map(({ id, publishedMs }) => ({
        platform: 'youtube',
        video_id: id,
        creator_id: `usual${clip}`,
        kind: 'clip',
        title: 'A clip',
        url: '',
        thumbnail_url: '',
        published_at: new Date(publishedMs).toISOString().replace('T', ' ').replace('Z', ''),
        duration_seconds: 30,
        category: '',
        tags: [],
        regions: [],
        topics: [],
        source: 'import:test',
        observed_at: '2026-01-31 11:00:00.000',
      })),
    )
    await rig.write(
      uploads.map(({ id, publishedMs, views }) => ({
        platform: 'youtube' as const,
        videoId: id,
        creatorId: `usual${clip}`,
        observedAtMs: publishedMs + 6 * hourMs,
        views,
      })),
    )
    const alert = await make(viewsAbove(0, { condition: { kind: 'outlier', times: 5 } }))
    const quiet = await make(viewsAbove(0, { condition: { kind: 'outlier', times: 6 } }))
    await lookAt(0)
    expect(await firingsOf(alert)).toMatchObject([
      { value: 5.5, sentence: 'A clip: 5.5x, above 5 times the usual.', rows: [{ label: 'A clip' }] },
    ])
    expect(await firingsOf(quiet)).toEqual([])
  })

  it('reads a saved query as its owner, compares with what it remembers, and says when it cannot', async () => {
    const asked: unknown[] = []
    let rows = [['a', 10]]
    queries = {
      hasInstant: async () => false,
      async run(o) {
        asked.push(o.userId)
        return { columns: ['name', 'n'], rows }
      },
    }
    const by = newWatcher()
    const measure = { source: 'query', queryId, column: 'n' }
    const doubled = { kind: 'change', by: 99, over: '1h' }
    const alert = await make(viewsAbove(0, { measure, condition: doubled }))
    const wrong = await make(viewsAbove(5, { measure: { ...measure, column: 'm' } }))
    await lookAt(0, by)
    rows = [['a', 20]]
    await lookAt(1, by)
    expect(asked).toContain(rig.userId)
    expect(await firingsOf(alert)).toMatchObject([{ value: 100, rows: [{ key: 'a', value: 20, before: 10 }] }])
    expect(await getAlert(deps, callerOf(rig.userId), wrong.id)).toMatchObject({
      state: 'error',
      error: 'The query has no column m: it has name, n.',
    })
  })

  it('keeps what fires while it is muted and tells nobody; another rule begins anew', async () => {
    const alert = await make(viewsAbove(10))
    await muteAlert(deps, callerOf(rig.userId), alert.id, new Date(startMs + 5 * hourMs).toISOString())
    await read(20, 0)
    await lookAt(1)
    expect(await firingsOf(alert)).toMatchObject([{ isMuted: true, deliveries: [{ status: 'muted' }] }])
    expect((await getAlert(deps, callerOf(rig.userId), alert.id)).state).toBe('muted')
    const changed = await changeAlert(deps, callerOf(rig.userId), alert.id, { ...viewsAbove(15), ifMatch: '"1"' })
    expect(changed).toMatchObject({ version: 2, value: null })
    await lookAt(6)
    expect(await firingsOf(alert)).toMatchObject([{ version: 2, isMuted: false }, { version: 1 }])
    const late = changeAlert(deps, callerOf(rig.userId), alert.id, { ...viewsAbove(15), ifMatch: '"1"' })
    await expect(late).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  })
})

it('is looked at as soon as readings that it is about were written, and not for others', async () => {
  const heard = Promise.withResolvers<void>()
  const stop = await rig.bus.subscribe('samples.written', event => {
    watcher.note(event)
    heard.resolve()
  })
  const alert = await make(viewsAbove(10))
  const told = Promise.withResolvers<void>()
  const stopTelling = await rig.bus.subscribe('alert.fired', ({ fired }) => {
    if (fired.alertId === alert.id) told.resolve()
  })
  await lookAt(0)
  // Before the minute is over.
  clock.set(startMs + 10_000)
  await rig.write([
    { platform: 'youtube', videoId: `${videoId()}other`, creatorId: 'c9', observedAtMs: startMs, views: 99 },
  ])
  await heard.promise
  await watcher.run()
  expect((await getAlert(deps, callerOf(rig.userId), alert.id)).valueAt).toBe(at(0))
  await read(20, 0)
  await told.promise
  expect(await firingsOf(alert)).toMatchObject([{ value: 20, at: new Date(startMs + 10_000).toISOString() }])
  await stop()
  await stopTelling()
  await watcher.close()
})

describe('watchers on several nodes', () => {
  it('fire once between them', async () => {
    await read(50, 0)
    const alerts = await Promise.all(Array.from({ length: 12 }, () => make(viewsAbove(10))))
    await Promise.all([watcher.run(), newWatcher().run(), newWatcher().run()])
    for (const alert of alerts) expect(await firingsOf(alert)).toHaveLength(1)
  })

  it('finish for one that hangs, whose late result is then nobody’s', async () => {
    const reached = Promise.withResolvers<void>()
    const release = Promise.withResolvers<void>()
    const answer = { columns: ['name'], rows: [['a'], ['b']] }
    queries.run = async () => {
      reached.resolve()
      await release.promise
      return answer
    }
    const hanging = newWatcher()
    queries.run = async () => answer
    const other = newWatcher()
    const alert = await make(countAbove(1))
    const hung = hanging.run()
    await reached.promise
    await lookAt(0.02, other)
    expect(await firingsOf(alert)).toHaveLength(0)
    await lookAt(0.05, other)
    expect(await firingsOf(alert)).toHaveLength(1)
    release.resolve()
    await hung
    expect(await firingsOf(alert)).toHaveLength(1)
  })

  it('read what several rules ask for once', async () => {
    let count = 0
    queries.run = async () => {
      count += 1
      return { columns: ['name'], rows: [['a']] }
    }
    const by = newWatcher()
    for (const value of [0, 1, 2]) await make(countAbove(value))
    await by.run()
    expect(count).toBe(1)
  })
})

it('tells a webhook, a mail server and the terminal of its owner, each once', async () => {
  const bodies: string[] = []
  const receiver = createServer(async (request, response) => {
    bodies.push(await text(request))
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  const mails: string[] = []
  const post = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: async (stream, _session, done) => {
      mails.push(await text(stream))
      done()
    },
  })
  const listening = post.listen(0, '127.0.0.1')
  await Promise.all([once(receiver, 'listening'), once(listening, 'listening')])
  const origin = `http://127.0.0.1:${portOf(receiver.address())}`
  const outbound = openOutbound({ configuredOrigins: [origin] })
  const mailer = smtpMailer({ url: `smtp://127.0.0.1:${portOf(listening.address())}`, from: 'tape@example.com' })
  const sender = new WebhookSender({
    ...{ ...deps, outbound, webhookOrigins: [origin] },
    random: () => 0.5,
  })
  const live = await LiveClient.open(server.url, rigToken)
  try {
    const { id } = await rig.db.system
      .insertInto('users')
      .values({ email: 'alerted@example.com', role: 'user', is_local: false, email_verified_at: rigNow })
      .returning('id')
      .executeTakeFirstOrThrow()
    const userId = UserIdSchema.parse(id)
    await createWebhook({ ...deps, outbound, webhookOrigins: [origin] }, callerOf(userId), {
      url: `${origin}/in`,
      events: ['alert.fired'],
    })
    const channels = { terminal: true, webhook: true, email: true }
    const alert = await make(viewsAbove(10, { channels, cooldownSeconds: 900 }), userId)
    const own = await make(viewsAbove(20))
    await read(30, 0)
    await watcher.run()
    const sendMails = () => sendAlertMails({ ...deps, mailer })
    await Promise.all([sender.run(), sendMails()])
    await Promise.all([sender.run(), sendMails()])
    expect(bodies.map(body => JSON.parse(body))).toMatchObject([
      { event: 'alert.fired', data: { alertId: alert.id, value: 30, rows: [{ value: 30 }] } },
    ])
    expect(mails).toHaveLength(1)
    expect(mails[0]).toContain('Subject: Alert: Many views')
    expect(mails[0]).toContain('views 30, above 10.')
    expect((await firingsOf(alert, userId))[0]?.deliveries).toEqual([
      { channel: 'terminal', status: 'delivered', detail: '' },
      { channel: 'webhook', status: 'delivered', detail: '' },
      { channel: 'email', status: 'delivered', detail: '' },
    ])
    // The one who is connected hears of their own, and of nobody else's.
    expect(await live.next('event')).toMatchObject({ topic: 'alert.fired', payload: { alertId: own.id, value: 30 } })
  } finally {
    live.socket.close()
    receiver.close()
    receiver.closeAllConnections()
    await Promise.all([mailer.close(), outbound.close(), sender.close()])
    await new Promise<void>(resolve => post.close(resolve))
  }
})

it('says of a mail that nobody could get why not', async () => {
  const alert = await make(viewsAbove(10, { channels: { email: true }, cooldownSeconds: 900 }))
  await read(30, 0)
  await watcher.run()
  const mailer = smtpMailer({ url: 'smtp://127.0.0.1:1', from: 'tape@example.com' })
  await sendAlertMails({ ...deps, mailer })
  await mailer.close()
  expect((await firingsOf(alert))[0]?.deliveries).toContainEqual({
    channel: 'email',
    status: 'failed',
    detail: 'Your account has no verified address: verify it in ACCT.',
  })
})

describe('over HTTP', () => {
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${server.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const answer = await response.text()
    return {
      status: response.status,
      etag: response.headers.get('etag'),
      body: answer === '' ? null : JSON.parse(answer),
    }
  }

  it('is made, read, changed by its entity tag, and removed', async () => {
    const made = await call('POST', '/api/alerts', viewsAbove(10))
    expect(made).toMatchObject({ status: 201, etag: '"1"', body: { state: 'armed', isEnabled: true } })
    const path = `/api/alerts/${made.body.id}`
    expect((await call('GET', '/api/alerts')).body).toMatchObject({ data: [{ id: made.body.id }], limit: 1000 })
    const off = { ...viewsAbove(10), isEnabled: false }
    expect(await call('PUT', path, off, { 'if-match': '"1"' })).toMatchObject({ etag: '"2"', body: { state: 'off' } })
    expect(await call('PUT', path, off, { 'if-match': '"1"' })).toMatchObject({ status: 412 })
    expect((await call('DELETE', path)).status).toBe(204)
    expect((await call('GET', path)).status).toBe(404)
  })

  it('keeps unseen what nobody has looked at', async () => {
    const alert = await make(viewsAbove(10))
    await read(30, 0)
    await watcher.run()
    const unseen = () => call('GET', '/api/alerts/firings?unseen=true')
    expect((await unseen()).body).toMatchObject({ data: [{ alertId: alert.id, seenAt: null }] })
    expect((await call('POST', '/api/alerts/firings/seen', { alertId: alert.id })).status).toBe(204)
    expect((await unseen()).body).toEqual({ data: [] })
  })

  it('refuses one alert more than the plan allows', async () => {
    const row = await rig.db.system
      .insertInto('users')
      .values({ email: `free${clip}@example.com`, role: 'user', is_local: false, email_verified_at: null })
      .returning('id')
      .executeTakeFirstOrThrow()
    const userId = UserIdSchema.parse(row.id)
    for (let n = 0; n < 10; n += 1) await make(viewsAbove(10), userId)
    await expect(make(viewsAbove(10), userId)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'You have 10 alerts, the most that your plan allows: delete one first.',
    })
  })

  it('tries a rule on the past: the firings that a live one made', async () => {
    const request = viewsAbove(1000, { condition: { kind: 'threshold', value: 1000, rearm: 500 } })
    const alert = await make(request)
    for (const [hours, views] of [900, 1500, 1600, 400, 1200].entries()) {
      await read(views, hours)
      await lookAt(hours)
    }
    const asked = { rule: request.rule, from: rigNow.toISOString(), to: at(4), stepSeconds: 3600 }
    const answer = await call('POST', '/api/alerts/backtest', asked)
    const tried = BacktestSchema.parse(answer.body)
    expect(tried).toMatchObject({ steps: 5, isCut: false, stepSeconds: 3600 })
    expect(tried.points.map(({ value }) => value)).toEqual([900, 1500, 1600, 400, 1200])
    const live = (await firingsOf(alert)).toReversed()
    expect(tried.firings.map(({ at, sentence, value }) => ({ at, sentence, value }))).toEqual(
      live.map(({ at, sentence, value }) => ({ at, sentence, value })),
    )
    expect(tried.firings.map(firing => firing.at)).toEqual([at(1), at(4)])
    const many = { ...asked, from: at(-500), stepSeconds: 60 }
    expect(await call('POST', '/api/alerts/backtest', many)).toMatchObject({
      status: 400,
      body: { error: { message: expect.stringContaining('at most 400 steps') } },
    })
  })
})

it('asks a saved query of the past, where it has a parameter for the instant', async () => {
  await read(100, 0)
  await read(500, 2)
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: JSON.parse(await response.text()) }
  }
  const where = `FROM v.samples WHERE video_id = '${videoId()}'`
  const timed = await post('/api/queries', {
    name: `Timed ${clip}`,
    sql: `SELECT video_id AS clip, max(views) AS most ${where} AND observed_at <= {now:DateTime} GROUP BY clip`,
  })
  const ruleOver = (queryId: string) => ({
    measure: { source: 'query', queryId, column: 'most' },
    condition: { kind: 'threshold', value: 400 },
    cooldownSeconds: 0,
  })
  const asked = { from: at(0), to: at(3), stepSeconds: 3600 }
  const tried = await post('/api/alerts/backtest', { rule: ruleOver(timed.body.id), ...asked })
  expect(tried.body).toMatchObject({
    points: [{ value: 100 }, { value: 100 }, { value: 500 }, { value: 500 }],
    firings: [{ at: at(2), sentence: `${videoId()}: most 500, above 400.`, rows: [{ key: videoId(), value: 500 }] }],
  })
  const still = await post('/api/queries', { name: `Still ${clip}`, sql: `SELECT count() AS n ${where}` })
  expect(await post('/api/alerts/backtest', { rule: ruleOver(still.body.id), ...asked })).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('{now:DateTime}') } },
  })
  const alert = await make(viewsAbove(0, ruleOver(timed.body.id)))
  queries = savedQueriesOf(deps)
  await lookAt(3, newWatcher())
  expect(await firingsOf(alert)).toMatchObject([{ value: 500 }])
})

function at(hours: number): string {
  return new Date(startMs + hours * hourMs).toISOString()
}

function portOf(address: unknown): number {
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0
}
