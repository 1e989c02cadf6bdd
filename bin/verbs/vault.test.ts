import { once } from 'node:events'
import { readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { NewWebhookSchema } from '../../contracts/webhooks.ts'
import { signatureOf } from '../../server/features/webhooks/signature.ts'
import { cliOn, endProcess, makeHome } from '../../test/cli.ts'

let home: string
beforeAll(async () => {
  home = await makeHome()
})
afterAll(() => rm(home, { recursive: true, force: true }))

it('changes the key of a running home and of one at rest, and what was sealed before stays good', async () => {
  const signed: { signature: string; body: string }[] = []
  let arrived = Promise.withResolvers<void>()
  const receiver = createServer(async (request, response) => {
    signed.push({ signature: String(request.headers['cliptape-signature']), body: await text(request) })
    response.writeHead(204).end()
    arrived.resolve()
  }).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const origin = `http://127.0.0.1:${z.object({ port: z.number() }).parse(receiver.address()).port}`
  const cli = cliOn(home, { WEBHOOK_ORIGINS: origin })
  const keyOf = () => readFile(join(home, 'secrets', 'vault-key'), 'utf8')
  const keys: string[] = []

  const { child, url } = await cli.serve()
  try {
    const headers = {
      authorization: `Bearer ${(await cli.run('token')).stdout.trim()}`,
      'content-type': 'application/json',
    }
    const body = JSON.stringify({ url: `${origin}/in`, events: ['webhook.test'] })
    const made = await fetch(`${url}/api/webhooks`, { method: 'POST', headers, body })
    const { id, secret } = NewWebhookSchema.parse(await made.json())
    keys.push(await keyOf())

    const rotated = await cli.run('vault', 'rotate', '--json')
    expect(rotated, rotated.stderr).toMatchObject({ code: 0 })
    expect(JSON.parse(rotated.stdout)).toMatchObject({ rewrapped: 1, unreadable: 0 })
    keys.push(await keyOf())

    arrived = Promise.withResolvers<void>()
    const test = await fetch(`${url}/api/webhooks/${id}/test`, { method: 'POST', headers })
    expect(test.status).toBe(202)
    await arrived.promise
    const [one] = signed
    const seconds = Number(/^t=(\d+)/.exec(one?.signature ?? '')?.[1])
    expect(one?.signature).toBe(signatureOf(secret, one?.body ?? '', seconds * 1000))
  } finally {
    expect(await endProcess(child, 'SIGTERM')).toBe(0)
    receiver.close()
  }

  const atRest = await cli.run('vault', 'rotate')
  expect(atRest, atRest.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('1 secrets') })
  keys.push(await keyOf())
  expect(new Set(keys).size).toBe(3)
  expect((await readdir(join(home, 'secrets'))).filter(name => name.startsWith('vault-key'))).toEqual(['vault-key'])
}, 120_000)
