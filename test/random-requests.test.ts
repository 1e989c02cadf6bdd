import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AttackRig, openAttackRig } from './attack-rig.ts'

let rig: AttackRig
beforeAll(async () => {
  rig = await openAttackRig()
})
afterAll(() => rig.close())

describe('a server under random requests', () => {
  it('fails at none of them, tells nothing of its inside, and goes on', { timeout: 120_000 }, async () => {
    const before = await rig.otherRows()
    const report = await rig.run({ count: 2_000, seed: 1, parallel: 16 })
    expect(report.problems).toEqual([])
    expect(report.requests).toBe(2_000)
    // All kinds of answers came: a server that refuses everybody would pass otherwise.
    for (const status of ['200', '400', '401', '404', '413', '415']) expect(report.byStatus[status]).toBeGreaterThan(0)
    expect(await rig.otherRows()).toEqual(before)
    const alive = await rig.client.send({
      method: 'GET',
      path: '/api/usage',
      headers: { authorization: `Bearer ${rig.token}` },
      body: null,
    })
    expect(alive.status).toBe(200)
  })

  it('refuses ten megabytes, and answers the next request', async () => {
    const send = (body: string) =>
      rig.client.send({
        method: 'POST',
        path: '/api/auth/login',
        headers: { 'content-type': 'application/json' },
        body,
      })
    for (const body of [`{"email":"${'x'.repeat(10_000_000)}"}`, '['.repeat(10_000_000)]) {
      const answer = await send(body)
      expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('PAYLOAD_TOO_LARGE')])
    }
    expect((await send('{"email":"a@example.com","password":"x"}')).status).toBe(401)
  })

  it('refuses what is no HTTP, and answers nothing twice', async () => {
    const port = rig.port
    const say = async (raw: string) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.end(raw)
      return await text(socket)
    }
    const head = `Host: 127.0.0.1:${port}\r\nConnection: close\r\n`
    const broken = [
      'GET / HTTP/1.1\r\n\r\n',
      `GET / HTTP/1.1\r\n${head}X-Request-Id: a\u0000b\r\n\r\n`,
      `POST /api/auth/login HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST /api/auth/login HTTP/1.1\r\n${head}Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}`,
      `POST /api/auth/login HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n{}`,
      `GET / HTTP/9.9\r\n${head}\r\n`,
      `GET / HTTP/1.1\r\n${head}A: ${'x'.repeat(100_000)}\r\n\r\n`,
      `${'x'.repeat(100_000)}`,
    ]
    for (const raw of broken) {
      const answer = await say(raw)
      expect([raw.slice(0, 60), answer.split('\r\n')[0]]).toEqual([
        raw.slice(0, 60),
        expect.stringMatching(/^(HTTP\/1\.1 (400|403|431|505) .*|)$/),
      ])
      expect(answer.match(/^HTTP\//gm)?.length ?? 0).toBeLessThan(2)
    }
    const smuggled = await say(`GET /healthz HTTP/1.1\r\n${head}X-Request-Id: a\r\n Set-Cookie: b=c\r\n\r\n`)
    expect(smuggled).not.toMatch(/^set-cookie/im)
  })
})
