import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { manualClock, systemClock } from '../core/clock.ts'
import { createJobFolder, sweepJobFolders } from './job-folder.ts'
import { WorkRoom } from './work-room.ts'

const root = mkdtempSync(join(tmpdir(), 'cliptape-jobs-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const room = (bytesMax: number, freeDisk = 1) => new WorkRoom({ bytesMax, freeDiskShare: async () => freeDisk })

it('makes a folder for this user alone, and removes it with what is in it', async () => {
  const folder = await createJobFolder(join(root, 'new', 'deep'), room(0))
  writeFileSync(join(folder.path, 'span.mp4'), 'x')
  expect(statSync(folder.path).mode & 0o777).toBe(0o700)
  await folder.remove()
  expect(readdirSync(join(root, 'new', 'deep'))).toEqual([])
})

it('gives copies just so much room, until the folders that they are in are gone', async () => {
  const shared = room(100)
  const folder = await createJobFolder(root, shared)
  const other = await createJobFolder(root, shared)
  await folder.take(80)
  await expect(other.take(30)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await expect(other.take(101)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  await folder.remove()
  await other.take(30)
  await other.remove()
  const full = await createJobFolder(root, room(100, 0.01))
  await expect(full.take(1)).rejects.toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('disk') })
  await full.remove()
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
