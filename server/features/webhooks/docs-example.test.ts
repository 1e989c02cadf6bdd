import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { breakoutRule } from '../../../analytics/measures/breakouts.ts'
import { BreakoutSchema, WebhookMessageSchema } from '../../../contracts/webhooks.ts'
import { packageRoot } from '../../../sql/read.ts'
import { signatureOf } from './signature.ts'

const secret = 'whsec_of-the-example'
const nowMs = Date.now()

const ExampleSchema = z.object({
  isFromCliptape: z.custom<(secret: string, header: string | undefined, body: string, now?: number) => boolean>(),
  receive: z.custom<(secret: string, handle: (message: unknown) => void) => Server>(),
})

let folder: string
let page: string
let example: z.infer<typeof ExampleSchema>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-example-'))
  page = await readFile(join(packageRoot, 'docs', 'webhooks.md'), 'utf8')
  const path = join(folder, 'receiver.mjs')
  await writeFile(path, blockOf('js'))
  example = ExampleSchema.parse({ ...(await import(pathToFileURL(path).href)) })
})
afterAll(() => rm(folder, { recursive: true }))

const blockOf = (language: string): string => new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? ''

it('takes what we sign, for five minutes either way', () => {
  const body = '{"title":"ü"}'
  const header = signatureOf(secret, body, nowMs)
  for (const [seconds, isGood] of [
    [0, true],
    [299, true],
    [-299, true],
    [302, false],
    [-302, false],
  ] as const) {
    expect(example.isFromCliptape(secret, header, body, nowMs / 1000 + seconds)).toBe(isGood)
  }
})

it('takes nothing else', () => {
  const body = '{"a":1}'
  const header = signatureOf(secret, body, nowMs)
  const cases: [string, string | undefined, string][] = [
    ['whsec_another', header, body],
    [secret, header, '{"a":2}'],
    [secret, header.replace(/t=\d+/, `t=${Math.floor(nowMs / 1000) + 1}`), body],
    [secret, header.slice(0, -1), body],
    [secret, `${header},v1=00`, body],
    [secret, undefined, body],
    [secret, '', body],
  ]
  for (const [key, given, text] of cases) expect(example.isFromCliptape(key, given, text)).toBe(false)
})

it('handles a delivery once that comes twice, and refuses a stranger’s', async () => {
  const handled: unknown[] = []
  const server = example.receive(secret, message => void handled.push(message)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = z.object({ port: z.number() }).parse(server.address())
  const body = JSON.stringify({ id: 'a', event: 'webhook.test' })
  const send = async (signature: string) => {
    const headers = { 'cliptape-signature': signature }
    return (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })).status
  }
  expect(await send(signatureOf(secret, body, nowMs))).toBe(204)
  expect(await send(signatureOf(secret, body, nowMs))).toBe(204)
  expect(await send(signatureOf('whsec_another', body, nowMs))).toBe(401)
  expect(handled).toEqual([{ id: 'a', event: 'webhook.test' }])
  server.close()
})

it('shows a message of the form that is sent', () => {
  const message = WebhookMessageSchema.strict().parse(JSON.parse(blockOf('json')))
  expect(BreakoutSchema.strict().parse(message.data)).toEqual(message.data)
})

it('defines a breakout by the figures that are used', async () => {
  const metrics = await readFile(join(packageRoot, 'docs', 'metrics.md'), 'utf8')
  const sentence = /\*\*Breakout\*\*.*/.exec(metrics)?.[0] ?? ''
  const { outlierMin, viewsMin, velocityMin, ageMsMax } = breakoutRule
  for (const figure of [
    `${ageMsMax / 86_400_000} days`,
    `at least ${outlierMin},`,
    `${viewsMin.toLocaleString('en')} views`,
    `${velocityMin} views per hour`,
  ])
    expect(sentence).toContain(figure)
})
