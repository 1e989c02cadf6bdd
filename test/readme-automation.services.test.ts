import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { cliOn, endProcess } from './cli.ts'

// The README's lines for scripts are run as they stand there, against a server on a new home.

let folder: string
let server: Awaited<ReturnType<ReturnType<typeof cliOn>['serve']>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-readme-'))
  server = await cliOn(folder).serve()
})
afterAll(async () => {
  await endProcess(server.child, 'SIGTERM')
  await rm(folder, { recursive: true, force: true })
})

it('automates an account from its first day to its last, as the README says', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const section = readme.split('\n## ').find(part => part.startsWith('Automate it')) ?? ''
  const script = /```sh\n(.*?)```/s.exec(section)?.[1] ?? ''
  const path = join(folder, 'readme.sh')
  await writeFile(path, `set -euo pipefail\n${script.replace('http://localhost:4400', server.url)}`)
  const { stdout } = await promisify(execFile)('bash', [path], { cwd: folder })
  expect(stdout).toContain('"email":"ann@example.com"')
  // The sample is being played: between two requests the list may have moved.
  expect(stdout).toMatch(/(200|304)\n/)
  expect(stdout).toContain('"action":"key.created"')
  const everything = JSON.parse(await readFile(join(folder, 'everything.json'), 'utf8'))
  expect(JSON.stringify(everything)).toContain('ann@example.com')
})
