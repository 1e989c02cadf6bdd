import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packageRoot } from '../sql/read.ts'

// What a new user has: a clone without node_modules, and whichever Node the machine brings. Needs git and a registry.

/** The path without this project's own commands, so that `node` and `npm` are the host's. */
const hostPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter(folder => !folder.includes('node_modules'))
  .join(delimiter)

let folder: string
let clone: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-clone-'))
  clone = join(folder, 'cliptape')
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', packageRoot, clone])
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function launch(...args: string[]) {
  const env = { ...process.env, PATH: hostPath, CLIPTAPE_HOME: join(folder, 'home'), PORT: '0', NODE_ENV: '' }
  const child = spawn('node', ['bin/cliptape.mjs', ...args], { cwd: clone, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, stdout, stderr }
}

describe('a fresh clone', () => {
  it('installs, builds and runs on Node 24 by itself, and two starts at once do not disturb each other', async () => {
    const [first, second] = await Promise.all([launch('version', '--json'), launch('version', '--json')])
    for (const result of [first, second]) {
      expect(result.stderr).not.toMatch(/npm warn.*(allow|install script)/i)
      expect(result.code, result.stderr).toBe(0)
      expect(JSON.parse(result.stdout).node).toMatch(/^24\./)
    }
    expect(`${first.stderr}${second.stderr}`.match(/installing packages/g)).toHaveLength(1)
  }, 600_000)

  it('needs nothing more the second time', async () => {
    const { code, stderr } = await launch('doctor')
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })
})
