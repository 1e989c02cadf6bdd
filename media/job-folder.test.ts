import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { manualClock, systemClock } from '../core/clock.ts'
import { createJobFolder, sweepJobFolders } from './job-folder.ts'

const root = mkdtempSync(join(tmpdir(), 'cliptape-jobs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

it('makes a folder for this user alone, and removes it with what is in it', async () => {
  const folder = await createJobFolder(join(root, 'new', 'deep'))
  writeFileSync(join(folder.path, 'span.mp4'), 'x')
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
  await folder.remove()
  expect(readdirSync(join(root, 'new', 'deep'))).toEqual([])
})

it('sweeps what killed processes left, and leaves the work of living ones and the files of others', async () => {
  const home = join(root, 'swept')
  const gone = spawnSync(process.execPath, ['-e', '']).pid
  for (const name of [`${gone}-abc`, `${process.pid}-abc`, `${process.ppid}-abc`, 'kept'])
    mkdirSync(join(home, name), { recursive: true })
  expect(await sweepJobFolders(home, systemClock)).toBe(2)
  expect(readdirSync(home)).toEqual(expect.arrayContaining([`${process.ppid}-abc`, 'kept']))
  expect(await sweepJobFolders(home, manualClock(systemClock.nowMs() + 25 * 3_600_000))).toBe(1)
  expect(existsSync(join(home, 'kept'))).toBe(true)
  expect(await sweepJobFolders(join(root, 'nowhere'), systemClock)).toBe(0)
})
