import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { cliOn, endProcess, makeHome } from './cli.ts'
import { hasTmux, openTmux } from './services/tmux.ts'

// Boards as somebody has them who types commands: files in and out, pictures, and the wall over a server that comes and goes.

const cliptape = join(packageRoot, 'bin/cliptape.mjs')
const file = `# Mine.
name: Hours
panels:
  - id: world
    title: What the numbers are
    kind: log
    at: { x: 0, y: 0, width: 12, height: 4 }
    source: { query: world }
    options: { text: [ notice ] }
`

let home: string
let cli: ReturnType<typeof cliOn>
beforeAll(async () => {
  home = await makeHome()
  cli = cliOn(home)
  await writeFile(join(home, 'hours.yaml'), file)
})
afterAll(() => rm(home, { recursive: true, force: true }))

describe('cliptape dashboard', { timeout: 180_000 }, () => {
  test('takes a file and gives it back byte for byte, without a server and through one', async () => {
    expect(await cli.run('dashboard', 'import', 'hours.yaml')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Hours, version 1/),
    })
    expect((await cli.run('dashboard', 'export', 'hours')).stdout).toBe(file)
    const again = await cli.run('dashboard', 'import', 'hours.yaml')
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('--replace puts this one in its place')])

    const server = await cli.serve()
    try {
      await writeFile(join(home, 'broken.yaml'), file.replace('text: [ notice ]', 'texts: [ notice ]'))
      const broken = await cli.run('dashboard', 'import', 'broken.yaml')
      expect([broken.code, broken.stderr]).toEqual([
        1,
        expect.stringMatching(/Line 9, column 14: Panel world: options\.text is missing/),
      ])
      const shared = await cli.run('dashboard', 'import', 'hours.yaml', '--replace', '--visibility', 'shared')
      expect(shared.stdout).toMatch(/^Hours, version 2, shared: /)
      expect((await cli.run('dashboard', 'export', 'hours')).stdout).toBe(file)
      const listed = JSON.parse((await cli.run('dashboard', 'list', '--json')).stdout)
      expect(listed.data.map((board: { id: string }) => board.id)).toContain('clip-desk')

      expect((await cli.run('dashboard', 'snapshot', 'hours', '--out', 'hours.png')).code).toBe(0)
      expect((await readFile(join(home, 'hours.png'))).subarray(1, 4).toString()).toBe('PNG')
      const over = await cli.run('dashboard', 'snapshot', 'hours', '--out', 'hours.png')
      expect([over.code, over.stderr]).toEqual([1, expect.stringContaining('is there already')])
      expect((await stat(join(home, 'hours.png'))).size).toBeGreaterThan(1000)
    } finally {
      expect(await endProcess(server.child, 'SIGTERM')).toBe(0)
    }
  })
})

describe.skipIf(!hasTmux())('cliptape wall', { timeout: 180_000 }, () => {
  test('shows boards in turn without a key, and finds a server again that was gone', async () => {
    let server = await cli.serve()
    const env = { CLIPTAPE_HOME: home }
    const terminal = openTmux({ name: `cliptape-wall-${process.pid}`, columns: 120, rows: 40, home, env })
    try {
      terminal.press(`node ${cliptape} wall brain-rot,quota-and-ingest-health --every 2s`, 'Enter')
      await terminal.shows('Levels of all niches')
      await terminal.shows('Dead letters')
      const { port } = new URL(server.url)
      await endProcess(server.child, 'SIGKILL')
      await terminal.shows('DISCONNECTED')
      server = await cliOn(home, { PORT: port }).serve()
      await terminal.shows('● CONNECTED')
      await terminal.shows('Levels of all niches')
      await terminal.shows('Dead letters')
    } finally {
      terminal.close()
      await endProcess(server.child, 'SIGTERM')
    }
  })
})
