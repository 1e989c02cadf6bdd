import { afterAll, beforeAll, expect, it } from 'vitest'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { ask, quotable } from './http.ts'
import { PlatformError } from './port.ts'
import { scriptedHost } from './scripted-host.ts'
import { tiktokSpeech } from './tiktok/errors.ts'
import { youtubeSpeech } from './youtube/errors.ts'

let host: Awaited<ReturnType<typeof scriptedHost>>
beforeAll(async () => {
  host = await scriptedHost()
})
afterAll(() => host.close())

function question(more: object = {}) {
  return ask(host.deps, youtubeSpeech, { url: `${host.deps.urls.youtubeData}/x`, ...more })
}

it.each([
  { text: '{"items":[{"id":"a"', status: 200, class: 'network', code: 'broken_answer' },
  { text: '', status: 200, class: 'network', code: 'broken_answer' },
  { text: '<html>Error</html>', status: 503, class: 'server', code: '503' },
  { text: 'slow down', status: 429, class: 'rate', code: '429' },
  { text: '<html>Sign in to the network</html>', status: 403, class: 'network', code: 'broken_answer/403' },
  { text: '{"error":{"code":401', status: 401, class: 'network', code: 'broken_answer/401' },
  { text: '[]', status: 200, class: 'network', code: 'broken_answer' },
  { text: '"ok"', status: 200, class: 'network', code: 'broken_answer' },
  { text: '{}', status: 302, class: 'network', code: 'broken_answer/302' },
  { text: '', status: 304, class: 'network', code: 'broken_answer/304' },
  { text: '{}', status: 500, class: 'server', code: '500' },
  { text: '[]', status: 418, class: 'bad_request', code: '418' },
])('calls $status with the body $text a failure of class $class', async ({ status, text, ...expected }) => {
  host.script({ status, text })
  await expect(question()).rejects.toMatchObject({ name: 'PlatformError', platform: 'youtube', ...expected })
})

it('takes an empty answer where one is expected', async () => {
  host.script({ text: '' })
  expect(await question({ mayBeEmpty: true })).toMatchObject({ status: 200, json: undefined })
})

it('waits as long as the platform says, in seconds or until a date, and never longer than a day', async () => {
  const waits: (number | null)[] = []
  const inMinutes = (minutes: number) => new Date(host.nowMs + minutes * 60_000).toUTCString()
  for (const header of ['120', '0', inMinutes(5), inMinutes(-5), '999999999', 'soon', '']) {
    host.script({ status: 503, text: '{}', headers: { 'retry-after': header } })
    const error: unknown = await question().catch(error => error)
    waits.push(error instanceof PlatformError ? error.retryAfterMs : Number.NaN)
  }
  expect(waits).toEqual([120_000, 0, 300_000, 0, 86_400_000, null, null])
})

it('never repeats a secret that the platform says back, nor its control characters', async () => {
  const message = 'Malformed access token EAAsecret123\u001b[2J for <code>secret-of-app</code>\r\nsorry'
  host.script({ status: 400, json: { error: { code: 400, message, errors: [{ reason: 'badRequest' }] } } })
  const error = await question({
    bearer: 'EAAsecret123',
    query: { client_secret: 'secret-of-app', grant_type: 'sorry' },
  }).catch((error: Error) => error)
  expect(error).toMatchObject({
    message: 'YouTube does not take this question (badRequest): “Malformed access token … [2J for … sorry”.',
  })
  expect(quotable('x'.repeat(5000))).toHaveLength(300)
})

it('says that nobody answered without saying what was asked', async () => {
  const outbound = openOutbound({ configuredOrigins: ['http://127.0.0.1:1'] })
  const deps = { ...host.deps, outbound }
  const asked = ask(deps, tiktokSpeech, { url: 'http://127.0.0.1:1/secret-path', query: { token: 'secret-token' } })
  const error = await asked.catch((error: Error) => error)
  expect(error).toMatchObject({ class: 'network', code: 'unreachable' })
  expect(String(error)).toContain('No whole answer came from TikTok: 127.0.0.1:1 could not be reached (ECONNREFUSED).')
  expect(String(error)).not.toMatch(/secret/)
  await outbound.close()
})

it('does not hide that an address was never configured', async () => {
  const asked = ask(host.deps, tiktokSpeech, { url: 'http://127.0.0.1:2/' })
  await expect(asked).rejects.toMatchObject({ name: 'AppError', code: 'FORBIDDEN' })
})
