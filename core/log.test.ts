import { mkdtemp, readdir, readFile, rm, stat, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createFileLog } from './log.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-log-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('writes JSON lines that only the owner can read, without secrets', async () => {
  const path = join(folder, 'logs', 'cliptape.log')
  createFileLog({ path, level: 'info' }).info(
    { token: 'tkn-1', req: { headers: { authorization: 'Bearer x' } } },
    'hello',
  )
  const text = await readFile(path, 'utf8')
  expect(JSON.parse(text)).toMatchObject({ msg: 'hello', token: '[Redacted]' })
  expect(text).not.toContain('Bearer')
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

it('puts a full file aside and keeps three old ones', async () => {
  const path = join(folder, 'cliptape.log')
  for (let round = 1; round <= 5; round += 1) {
    createFileLog({ path, level: 'info' }).info({ round }, 'first of its file')
    // As if ten megabytes had been written.
    await truncate(path, 10 * 1024 * 1024)
  }
  createFileLog({ path, level: 'info' }).info({ round: 6 }, 'first of its file')
  expect((await readdir(folder)).sort()).toEqual(['cliptape.log', 'cliptape.log.1', 'cliptape.log.2', 'cliptape.log.3'])
  expect(await readFile(path, 'utf8')).toContain('"round":6')
  expect((await readFile(`${path}.1`, 'utf8')).slice(0, 200)).toContain('"round":5')
})
