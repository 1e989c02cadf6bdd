import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { cliOn, endProcess } from '../test/cli.ts'

const rows = `platform,video_id,observed_at,views,likes,title,creator_name
youtube,dQw4w9WgXcQ,2026-01-01T00:00:00Z,1000,10,A title,Somebody
youtube,dQw4w9WgXcQ,2026-01-01T06:00:00Z,1600,14,A title,Somebody
tiktok,6907228749016714497,2026-01-01T06:00:00Z,500,,Dance,Else
tiktok,6907228749016714498,2026-01-01T06:00:00Z,-5,,Broken,Else
`
const more = `platform,video_id,observed_at,views,title,creator_name
youtube,dQw4w9WgXcQ,2026-01-01T12:00:00Z,2500,A title,Somebody
`
const sql = 'select platform, video_id, views from v.samples order by platform, video_id, observed_at'

let folder: string
let cli: ReturnType<typeof cliOn>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-cli-'))
  cli = cliOn(join(folder, 'home'))
  await Promise.all([
    mkdir(join(folder, 'home'), { mode: 0o700 }),
    writeFile(join(folder, 'rows.csv'), rows),
    writeFile(join(folder, 'more.csv'), more),
  ])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const jsonLines = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

/** The ranked lists of a home whose clock stands at its newest reading. */
async function trendsOf(home: ReturnType<typeof cliOn>): Promise<unknown[]> {
  const server = await home.serve()
  try {
    const headers = { authorization: `Bearer ${(await home.run('token')).stdout.trim()}` }
    const ask = async (type: string) => {
      const answer = await fetch(`${server.url}/api/analytics/trends?type=${type}&period=6h`, { headers })
      expect(answer.status).toBe(200)
      const { generatedAt: _, ...rest } = z.looseObject({ generatedAt: z.string() }).parse(await answer.json())
      return rest
    }
    return await Promise.all(['clips', 'creators', 'topics'].map(ask))
  } finally {
    expect(await endProcess(server.child, 'SIGTERM')).toBe(0)
  }
}

describe('the command on a home', { timeout: 120_000 }, () => {
  it('imports without a server, counts what was broken, and changes nothing the second time', async () => {
    const first = await cli.run('import', join(folder, 'rows.csv'))
    expect(first.stderr + first.stdout).toMatch(/4 rows read, 3 accepted/)
    expect(first.stdout).toMatch(/dead-lettered 1: /)
    expect(first.code).toBe(0)
    expect((await cli.run('import', join(folder, 'rows.csv'))).code).toBe(0)
    const answer = await cli.run('query', '--format', 'jsonl', sql)
    const made = await cli.run('keys', 'create', 'made alone', '--scope', 'trends:read', '--days', '30', '--json')
    expect(jsonLines(made.stdout)).toMatchObject([{ name: 'made alone', key: expect.stringMatching(/^cl_live_/) }])
    expect(jsonLines(answer.stdout)).toEqual([
      { platform: 'tiktok', video_id: '6907228749016714497', views: 500 },
      { platform: 'youtube', video_id: 'dQw4w9WgXcQ', views: 1000 },
      { platform: 'youtube', video_id: 'dQw4w9WgXcQ', views: 1600 },
    ])
  })

  it('goes through a running server, refuses a second one by its pid, survives kill -9, and backs up while it runs', async () => {
    const first = await cli.serve()
    try {
      const second = await cli.run('serve')
      expect(second).toMatchObject({ code: 1 })
      expect(second.stderr).toContain(`Process ${first.child.pid} is already running Cliptape`)

      const token = (await cli.run('token')).stdout.trim()
      const trends = await fetch(
        `${first.url}/api/analytics/trends?from=2026-01-01T00:00:00Z&to=2026-01-01T06:00:00Z`,
        {
          headers: { authorization: `Bearer ${token}` },
        },
      )
      expect(trends.status).toBe(200)
      expect(await trends.json()).toMatchObject({ data: [{ key: 'youtube:dQw4w9WgXcQ', gain: 600 }, {}] })
      expect((await fetch(`${first.url}/api/analytics/trends`)).status).toBe(401)
      const saved = {
        name: 'Most',
        sql: 'select max(views) + {more:UInt8} as most from v.samples',
        parameters: [{ name: 'more', default: 1 }],
      }
      await fetch(`${first.url}/api/queries`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(saved),
      })
      const lasting = decodeJwt((await cli.run('token', '--hours', '12')).stdout.trim())
      expect(Number(lasting.exp) - Number(lasting.iat)).toBe(12 * 3600)

      for (const forbidden of ['select * from system.tables', 'drop table v.samples']) {
        expect(await cli.run('query', forbidden)).toMatchObject({
          code: 1,
          stdout: '',
          stderr: expect.stringMatching(/\w/),
        })
      }

      const imported = await cli.run('import', '--json', join(folder, 'more.csv'))
      expect(jsonLines(imported.stdout).at(-1)).toEqual({ type: 'done', files: 1, failed: 0 })
    } finally {
      await endProcess(first.child, 'SIGKILL')
    }

    const next = await cli.serve()
    try {
      const answer = await cli.run('query', '--format', 'csv', 'select max(views) as most from v.samples')
      expect(answer.stdout.replaceAll('"', '').trim().split('\n')).toEqual(['most', '2500'])
      const given = await cli.run('query', '--format', 'csv', '--param', 'x=007', 'select {x:String} as x')
      expect(given.stdout.replaceAll('"', '').trim().split('\n')).toEqual(['x', '007'])
      const table = await cli.run('query', '--saved', 'most', '--format', 'markdown', '--param', 'more=2')
      expect(table.stdout).toBe('| most |\n| ---: |\n| 2502 |\n')
      const listed = await cli.run('keys', 'list')
      expect(listed.stdout).toMatch(/made alone +cl_live_\w{8} +trends:read +good/)
      const made = await cli.run('keys', 'create', 'through the server', '--scope', 'trends:read', 'vods:read')
      const key = made.stdout.trim()
      const ask = () => fetch(`${next.url}/ext-api/v1/trends`, { headers: { 'x-api-key': key } })
      expect((await ask()).status).toBe(200)
      expect(await cli.run('keys', 'revoke', key.slice(0, 16))).toMatchObject({ code: 0 })
      expect((await ask()).status).toBe(401)
      expect(await cli.run('keys', 'revoke', 'cl_live_nobody00')).toMatchObject({ code: 1 })
      const backup = await cli.run('backup', join(folder, 'backup.tar'))
      expect(backup.code).toBe(0)
      expect((await stat(join(folder, 'backup.tar'))).mode & 0o777).toBe(0o600)
    } finally {
      expect(await endProcess(next.child, 'SIGTERM')).toBe(0)
    }
    expect(existsSync(join(folder, 'home', 'control.sock'))).toBe(false)
  })

  it('restores a backup into another home, where every query answers the same', async () => {
    const other = cliOn(join(folder, 'other'))
    await mkdir(join(folder, 'other'), { mode: 0o700 })
    const restored = await other.run('restore', join(folder, 'backup.tar'))
    expect(restored).toMatchObject({ code: 0 })
    const question = ['query', '--format', 'jsonl', 'select * from v.samples order by platform, video_id, observed_at']
    const [here, there] = await Promise.all([cli.run(...question), other.run(...question)])
    expect(jsonLines(there.stdout)).toHaveLength(4)
    expect(there.stdout).toBe(here.stdout)

    const trendsHere = await trendsOf(cli)
    expect(trendsHere).toMatchObject([{ data: [{ key: 'youtube:dQw4w9WgXcQ', gain: 900 }, {}] }, {}, {}])
    expect(await trendsOf(other)).toEqual(trendsHere)

    const again = await other.run('restore', join(folder, 'backup.tar'))
    expect(again.code).toBe(1)
    expect(again.stderr).toMatch(/holds data already/)
    const forced = await other.run('restore', '--force', '--json', join(folder, 'backup.tar'))
    expect(jsonLines(forced.stdout)[0]).toMatchObject({ asideAt: expect.stringContaining('.before-restore-') })
  })

  it('ends with 2 for wrong use and 1 for what cannot be done, always with a sentence', async () => {
    const cases: [string[], number, RegExp][] = [
      [['frobnicate'], 2, /unknown command 'frobnicate'/],
      [['query'], 2, /give either SQL or --saved/],
      [['serve', '--port', '99999'], 2, /port number/],
      [['query', '--format', 'xml', 'select 1'], 2, /Allowed choices/],
      [['import', join(folder, 'none.csv')], 1, /is not there/],
      [['replay', join(folder, 'none.csv')], 1, /is not there/],
      [['restore', join(folder, 'rows.csv')], 1, /holds data already|not a Cliptape backup/],
      [['worker', '--roles', 'http'], 1, /DATABASE_URL/],
      [['terminal'], 1, /no terminal here/],
      [['token'], 1, /No server runs on .*, which could make a token/],
      [['token', '--hours', '25'], 2, /at most 24/],
    ]
    for (const [args, code, sentence] of cases) {
      const result = await cli.run(...args)
      expect([args.join(' '), result.code]).toEqual([args.join(' '), code])
      expect(result.stderr).toMatch(sentence)
      expect(result.stderr).not.toMatch(/\n\s+at /)
    }
  })

  it('lets doctor say what is there, as JSON too', async () => {
    const result = await cli.run('doctor', '--json')
    const report = JSON.parse(result.stdout)
    expect(report.isHealthy).toBe(true)
    expect(report.findings).toContainEqual(expect.objectContaining({ name: 'analytics engine', state: 'ok' }))
  })
})
