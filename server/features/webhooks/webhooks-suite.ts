import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { type NewWebhook, WebhookMessageSchema } from '../../../contracts/webhooks.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import { manualClock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../../core/outbound/port.ts'
import { isPublicAddress } from '../../../core/outbound/public-address.ts'
import { MasterKeys, masterKey } from '../../../core/vault/master-key.ts'
import { ownVault } from '../../../core/vault/own-vault.ts'
import type { Caller } from '../../http/caller.ts'
import { tellWebhooks } from './outbox.ts'
import { WebhookSender } from './sender.ts'
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  testWebhook,
  type WebhookDeps,
} from './service.ts'

const startMs = Date.parse('2026-01-31T12:00:00Z')
const minuteMs = 60_000
const hourMs = 60 * minuteMs

interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** How a receiver answers; never, for null. */
type Reply = { status: number; headers?: Record<string, string> } | null

/** Webhooks from the verb to the receiver, on whichever store. */
export function describeWebhooks(rig: () => { db: Db }): void {
  const log = pino({ level: 'silent' })
  const clock = manualClock(startMs)
  const received: Received[] = []
  let reply: (request: Received) => Reply
  let receiver: Server
  let base: string
  let outbound: Outbound
  let deps: WebhookDeps
  let sender: WebhookSender
  let user: UserId

  const newSender = (): WebhookSender =>
    new WebhookSender({ ...deps, version: '1.2.3', random: () => 0.5, db: rig().db, outbound })

  beforeAll(async () => {
    receiver = createServer(async (request, response) => {
      const one = { path: request.url ?? '', headers: request.headers, body: await text(request) }
      received.push(one)
      const answer = reply(one)
      if (answer) response.writeHead(answer.status, answer.headers).end()
    }).listen(0, '127.0.0.1')
    await once(receiver, 'listening')
    const address = receiver.address()
    if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.')
    // Names lead to the test's own receiver, which stands for one on the internet.
    base = `http://hooks.example:${address.port}`
    outbound = openOutbound({
      configuredOrigins: [],
      resolve: async name => (name === 'inside.example' ? ['10.0.0.1'] : ['127.0.0.1']),
      mayReach: one => one === '127.0.0.1' || isPublicAddress(one),
    })
  })
  afterAll(async () => {
    receiver.closeAllConnections()
    receiver.close()
    await outbound.close()
  })
  beforeEach(async () => {
    clock.set(startMs)
    received.length = 0
    reply = () => ({ status: 200 })
    const { db } = rig()
    deps = {
      db,
      outbound,
      clock,
      log,
      bus: memoryBus({ log }),
      vault: ownVault(new MasterKeys(masterKey('key of the test, long enough to be one'))),
      webhookOrigins: [],
    }
    // Nothing of another test is due any more.
    await db.executeSql('delete from webhooks')
    user = await addUser(db)
    sender = newSender()
  })

  const make = (path = '/in', events: ('video.breakout' | 'webhook.test')[] = ['video.breakout']) =>
    createWebhook(deps, callerOf(user), { url: base + path, events })
  const tell = (n = 1, data: Record<string, unknown> = { n }) =>
    rig().db.transaction(trx =>
      tellWebhooks(trx, [{ event: 'video.breakout', dedupeKey: `video.breakout ${n}`, data }], {
        now: new Date(clock.nowMs()),
      }),
    )
  const deliveriesOf = async (webhook: { id: string }) =>
    (await listDeliveries(deps, callerOf(user), webhook.id, { limit: 50 })).rows
  const auditOf = () =>
    rig().db.system.selectFrom('audit_log').selectAll().where('user_id', '=', user).orderBy('id').execute()

  it('tells a webhook what happened, signed with the secret that was shown once', async () => {
    const webhook = await make('/in?from=cliptape')
    expect(webhook).toMatchObject({
      events: ['video.breakout'],
      status: 'active',
      secret: expect.stringMatching(/^whsec_.{43}$/),
    })
    expect(await tell(1, { title: 'Skibidi "ü"' })).toBe(1)
    await sender.run()
    const [message, ...more] = received
    if (!message) throw new Error('Nothing came.')
    expect(more).toEqual([])
    const parsed = WebhookMessageSchema.parse(JSON.parse(message.body))
    expect(parsed).toMatchObject({
      event: 'video.breakout',
      createdAt: '2026-01-31T12:00:00.000Z',
      data: { title: 'Skibidi "ü"' },
    })
    const seconds = startMs / 1000
    const hex = createHmac('sha256', webhook.secret).update(`${seconds}.${message.body}`).digest('hex')
    expect(message).toMatchObject({
      path: '/in?from=cliptape',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'Cliptape/1.2.3',
        'cliptape-event': 'video.breakout',
        'cliptape-delivery': parsed.id,
        'cliptape-signature': `t=${seconds},v1=${hex}`,
      },
    })
    expect(await deliveriesOf(webhook)).toEqual([
      {
        id: parsed.id,
        event: 'video.breakout',
        status: 'delivered',
        attempts: 1,
        nextAttemptAt: null,
        lastStatus: 200,
        lastError: null,
        createdAt: '2026-01-31T12:00:00.000Z',
        deliveredAt: '2026-01-31T12:00:00.000Z',
      },
    ])
  })

  it('never shows the secret again, and keeps it sealed', async () => {
    const { secret } = await make()
    expect(JSON.stringify(await listWebhooks(deps, callerOf(user)))).not.toContain(secret)
    const audit = JSON.stringify(await auditOf())
    expect(audit).toContain('hooks.example')
    expect(audit).not.toContain(secret)
    expect(audit).not.toContain('/in')
    const { rows } = await rig().db.executeSql(
      'select w::text as webhook, s::text as sealed from webhooks w, vault_secrets s',
    )
    expect(JSON.stringify(rows)).not.toContain(secret)
  })

  it('tells one happening once to each webhook, and nobody who did not ask for it', async () => {
    await make('/a')
    await make('/b')
    await make('/test-only', ['webhook.test'])
    const paused = await make('/paused')
    await changeWebhook(deps, callerOf(user), paused.id, { status: 'paused' })
    expect(await tell(1)).toBe(2)
    expect(await tell(1)).toBe(0)
    await sender.run()
    expect(received.map(one => one.path).sort()).toEqual(['/a', '/b'])
  })

  it('keeps what is told only when what happened is kept', async () => {
    const webhook = await make()
    const failing = rig().db.transaction(async trx => {
      await tellWebhooks(trx, [{ event: 'video.breakout', dedupeKey: 'x', data: {} }], { now: new Date(startMs) })
      throw new Error('later')
    })
    await expect(failing).rejects.toThrow('later')
    expect(await deliveriesOf(webhook)).toEqual([])
  })

  it('tries again later and later, for about a day, and then gives up and disables the webhook', async () => {
    const webhook = await make()
    reply = () => ({ status: 500 })
    await tell()
    const gapsMinutes: number[] = []
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await sender.run()
      expect(received).toHaveLength(attempt)
      const [delivery] = await deliveriesOf(webhook)
      if (!delivery?.nextAttemptAt) break
      const dueMs = Date.parse(delivery.nextAttemptAt)
      gapsMinutes.push((dueMs - clock.nowMs()) / minuteMs)
      clock.set(dueMs - 1)
      await sender.run()
      expect(received).toHaveLength(attempt)
      clock.set(dueMs)
    }
    expect(gapsMinutes).toEqual([0.5, 2, 8, 30, 60, 120, 240, 480, 480])
    expect(await deliveriesOf(webhook)).toMatchObject([
      { status: 'failed', attempts: 10, lastStatus: 500, lastError: 'It answered 500.' },
    ])
    expect(await listWebhooks(deps, callerOf(user))).toMatchObject([
      { status: 'disabled', statusReason: expect.stringContaining('It answered 500.') },
    ])
    expect(await auditOf()).toContainEqual(
      expect.objectContaining({ action: 'webhook.changed', actor: 'system', details: { status: 'disabled' } }),
    )
    expect(await tell(2)).toBe(0)
  })

  it('does not disable a webhook that takes other deliveries', async () => {
    const webhook = await make()
    reply = one => ({ status: one.body.includes('"bad"') ? 500 : 200 })
    await tell(1, { what: 'bad' })
    clock.advance(hourMs)
    await tell(2, { what: 'good' })
    for (let n = 0; n < 12; n += 1) {
      await sender.run()
      clock.advance(10 * hourMs)
    }
    expect((await deliveriesOf(webhook)).map(one => one.status)).toEqual(['delivered', 'failed'])
    expect(await listWebhooks(deps, callerOf(user))).toMatchObject([{ status: 'active' }])
  })

  it('waits as long as Retry-After asks, in seconds or until a date', async () => {
    const webhook = await make()
    const until = new Date(startMs + 2 * hourMs).toUTCString()
    reply = () => ({ status: 503, headers: { 'retry-after': received.length === 1 ? '3600' : until } })
    await tell()
    await sender.run()
    expect(await deliveriesOf(webhook)).toMatchObject([{ nextAttemptAt: new Date(startMs + hourMs).toISOString() }])
    clock.advance(hourMs)
    await sender.run()
    expect(await deliveriesOf(webhook)).toMatchObject([{ nextAttemptAt: new Date(startMs + 2 * hourMs).toISOString() }])
  })

  it('disables a webhook that answers 410, with all that waits', async () => {
    const webhook = await make()
    reply = () => ({ status: 410 })
    await tell(1)
    await sender.run()
    expect(await listWebhooks(deps, callerOf(user))).toMatchObject([
      { status: 'disabled', statusReason: expect.stringContaining('410') },
    ])
    expect(await deliveriesOf(webhook)).toMatchObject([{ status: 'failed', lastStatus: 410 }])
    await expect(testWebhook(deps, callerOf(user), webhook.id)).rejects.toMatchObject({ code: 'CONFLICT' })
    reply = () => ({ status: 200 })
    await changeWebhook(deps, callerOf(user), webhook.id, { status: 'active' })
    await redeliver(deps, callerOf(user), {
      webhookId: webhook.id,
      deliveryId: (await deliveriesOf(webhook))[0]?.id ?? '',
    })
    await sender.run()
    expect(await deliveriesOf(webhook)).toMatchObject([{ status: 'delivered', attempts: 1 }])
  })

  it('follows no redirect, and says so', async () => {
    const webhook = await make()
    reply = () => ({ status: 307, headers: { location: 'http://10.0.0.1/' } })
    await tell()
    await sender.run()
    expect(received).toHaveLength(1)
    expect(await deliveriesOf(webhook)).toMatchObject([
      { status: 'waiting', lastStatus: 307, lastError: 'It answered 307: redirects are not followed.' },
    ])
  })

  it('refuses addresses inside at once, and names that lead inside when it sends', async () => {
    for (const url of ['http://127.0.0.2/', 'http://[::1]/', 'http://169.254.169.254/', 'http://10.0.0.1:5432/']) {
      await expect(createWebhook(deps, callerOf(user), { url, events: ['webhook.test'] })).rejects.toMatchObject({
        code: 'FORBIDDEN',
      })
    }
    const webhook = await createWebhook(deps, callerOf(user), {
      url: 'http://inside.example/',
      events: ['video.breakout'],
    })
    await tell()
    await sender.run()
    expect(await deliveriesOf(webhook)).toMatchObject([
      { status: 'waiting', lastStatus: null, lastError: expect.stringContaining('private network') },
    ])
  })

  it("sends to an origin of the operator's own network when he named exactly that", async () => {
    const inside = base.replace('hooks.example', '127.0.0.1')
    const strict = openOutbound({ configuredOrigins: [inside] })
    try {
      const own = { ...deps, outbound: strict, webhookOrigins: [inside] }
      await expect(
        createWebhook(own, callerOf(user), { url: 'http://127.0.0.1:1/', events: ['webhook.test'] }),
      ).rejects.toMatchObject({ code: 'FORBIDDEN' })
      const webhook = await createWebhook(own, callerOf(user), { url: `${inside}/n8n`, events: ['webhook.test'] })
      await testWebhook(own, callerOf(user), webhook.id)
      await new WebhookSender({ ...own, log, version: '1', random: () => 0.5 }).run()
      expect(received.map(one => one.path)).toEqual(['/n8n'])
    } finally {
      await strict.close()
    }
  })

  it('sends each delivery once when several nodes send at the same time', async () => {
    await make('/a')
    await make('/b')
    for (let n = 0; n < 30; n += 1) await tell(n)
    await Promise.all([sender.run(), newSender().run(), newSender().run()])
    await sender.run()
    const ids = received.map(one => one.headers['cliptape-delivery'])
    expect(ids).toHaveLength(60)
    expect(new Set(ids).size).toBe(60)
  })

  it('sends again what a node had in hand when it ended, once its lease is over', async () => {
    const webhook = await make()
    const arrived = Promise.withResolvers<void>()
    reply = () => {
      arrived.resolve()
      return received.length === 1 ? null : { status: 200 }
    }
    await tell()
    const running = sender.run()
    await arrived.promise
    await sender.close()
    await running
    const other = newSender()
    await other.run()
    expect(received).toHaveLength(1)
    clock.advance(minuteMs)
    await other.run()
    expect(received).toHaveLength(2)
    expect(received[0]?.headers['cliptape-delivery']).toBe(received[1]?.headers['cliptape-delivery'])
    expect(await deliveriesOf(webhook)).toMatchObject([{ status: 'delivered', attempts: 2 }])
  })

  it('keeps what waits through a pause, and goes on when it is resumed', async () => {
    const webhook = await make()
    await tell()
    await changeWebhook(deps, callerOf(user), webhook.id, { status: 'paused' })
    await sender.run()
    expect(received).toEqual([])
    await changeWebhook(deps, callerOf(user), webhook.id, { status: 'active' })
    await sender.run()
    expect(received).toHaveLength(1)
    expect((await auditOf()).map(row => row.action)).toEqual(['webhook.created', 'webhook.changed', 'webhook.changed'])
  })

  it('says on the bus that something waits', async () => {
    const webhook = await make()
    const heard = Promise.withResolvers<unknown>()
    await deps.bus.subscribe('webhooks.due', heard.resolve)
    await testWebhook(deps, callerOf(user), webhook.id)
    expect(await heard.promise).toEqual({ atMs: startMs })
  })

  it('takes an order that is written for done, though the bus does not answer', async () => {
    const webhook = await make()
    const bus = { ...deps.bus, publish: async () => Promise.reject(new AppError('UNAVAILABLE')) }
    await expect(testWebhook({ ...deps, bus }, callerOf(user), webhook.id)).resolves.toMatchObject({
      status: 'waiting',
    })
    await sender.run()
    expect(received).toHaveLength(1)
  })

  it('counts no attempt while the key of the vault is missing here, and sends when it is back', async () => {
    const webhook = await make()
    await tell()
    const vault = ownVault(new MasterKeys(masterKey('another key of the test, long enough')))
    const without = new WebhookSender({ ...deps, vault, version: '1.2.3', random: () => 0.5 })
    for (let minute = 0; minute < 12; minute += 1) {
      await without.run()
      clock.advance(minuteMs)
    }
    expect(await deliveriesOf(webhook)).toMatchObject([{ status: 'waiting', attempts: 0 }])
    await sender.run()
    expect(await deliveriesOf(webhook)).toMatchObject([{ status: 'delivered', attempts: 1 }])
  })

  it('keeps ten webhooks a user and no more, also when they are made at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 13 }, (_, n) => make(`/${n}`)))
    expect(results.filter(one => one.status === 'fulfilled')).toHaveLength(10)
    expect(results.find(one => one.status === 'rejected')).toMatchObject({ reason: { code: 'CONFLICT' } })
  })

  it('takes the secret and the log along when it is deleted', async () => {
    const webhook = await make()
    await tell()
    await deleteWebhook(deps, callerOf(user), webhook.id)
    const { rows } = await rig().db.executeSql(
      `select (select count(*) from vault_secrets where owner_id = '${user}')::int as secrets,
        (select count(*) from webhook_deliveries where owner_id = '${user}')::int as deliveries`,
    )
    expect(rows).toEqual([{ secrets: 0, deliveries: 0 }])
    await expect(deleteWebhook(deps, callerOf(user), webhook.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it("goes with its owner's account, secret and log included", async () => {
    await make()
    await tell()
    await rig().db.system.deleteFrom('users').where('id', '=', user).execute()
    const { rows } = await rig().db.executeSql(
      `select (select count(*) from webhooks where owner_id = '${user}')::int as webhooks,
        (select count(*) from vault_secrets where owner_id = '${user}')::int as secrets`,
    )
    expect(rows).toEqual([{ webhooks: 0, secrets: 0 }])
  })

  it("does not know another user's webhook in any verb", async () => {
    const webhook = await make()
    await tell()
    const [delivery] = await deliveriesOf(webhook)
    const stranger = callerOf(await addUser(rig().db))
    const ids = { webhookId: webhook.id, deliveryId: delivery?.id ?? '' }
    for (const verb of [
      () => changeWebhook(deps, stranger, webhook.id, { status: 'paused' }),
      () => deleteWebhook(deps, stranger, webhook.id),
      () => listDeliveries(deps, stranger, webhook.id, { limit: 1 }),
      () => testWebhook(deps, stranger, webhook.id),
      () => redeliver(deps, stranger, ids),
    ]) {
      await expect(verb()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    }
    expect(await listWebhooks(deps, stranger)).toEqual([])
  })

  it('lists deliveries newest first, in pages that neither overlap nor leave any out', async () => {
    const webhook: NewWebhook = await make()
    for (let n = 0; n < 7; n += 1) {
      // Two have the same instant.
      if (n % 2 === 0) clock.advance(1000)
      await tell(n)
    }
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await listDeliveries(deps, callerOf(user), webhook.id, { limit: 3, cursor })
      seen.push(...page.rows.map(row => row.id))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    expect(new Set(seen).size).toBe(7)
    expect(seen).toHaveLength(7)
    const wrong = listDeliveries(deps, callerOf(user), webhook.id, { limit: 3, cursor: 'nonsense' })
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('forgets deliveries after 30 days', async () => {
    const webhook = await make()
    await tell(1)
    await sender.run()
    clock.advance(29 * 24 * hourMs)
    await tell(2)
    expect(await sender.purge()).toBe(0)
    clock.advance(24 * hourMs + 1)
    expect(await sender.purge()).toBe(1)
    expect(await deliveriesOf(webhook)).toHaveLength(1)
  })
}

async function addUser(db: Db): Promise<UserId> {
  const { id } = await db.system
    .insertInto('users')
    .values({ email: null, role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(id)
}

function callerOf(userId: UserId): Caller {
  return {
    principal: { userId, scheme: 'jwt', role: 'user', scopes: 'all', credentialId: null },
    requestId: '00000000-0000-4000-8000-000000000000',
    address: '127.0.0.1',
  }
}
