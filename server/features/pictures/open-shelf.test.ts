import { copyFile, mkdtemp, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { manualClock } from '../../../core/clock.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import { type OpenedMedia, openMediaSource } from '../../../media/source/open-source.ts'
import { sampleFile } from '../../../test/media-desk.ts'
import { OpenShelf } from './open-shelf.ts'

const outbound = openOutbound({ configuredOrigins: [] })
const clock = manualClock(0)
let folder: string
let shelf: OpenShelf
let openedCount: number
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-shelf-'))
  shelf = new OpenShelf(clock)
  openedCount = 0
})
afterEach(async () => {
  await shelf.close()
  await rm(folder, { recursive: true })
})

async function copyOfSample(name: string): Promise<string> {
  const path = join(folder, name)
  await copyFile(sampleFile, path)
  return path
}

function use<T>(path: string, read: (media: OpenedMedia) => Promise<T>, gone = new AbortController().signal) {
  const source = { kind: 'file', path } as const
  const open = () => {
    openedCount += 1
    return openMediaSource({ outbound }, source)
  }
  return shelf.use({ whose: 'one', source, open, gone }, read)
}

const durationOf = ({ input }: OpenedMedia) => input.computeDuration()

it('reads the index of media once for all who look at it, until nobody has for a minute', async () => {
  const path = await copyOfSample('a.mp4')
  expect(await Promise.all([use(path, durationOf), use(path, durationOf)])).toEqual([60, 60])
  await use(path, durationOf)
  expect(openedCount).toBe(1)
  clock.advance(60_001)
  shelf.tidy()
  expect(await use(path, durationOf)).toBe(60)
  expect(openedCount).toBe(2)
})

it('opens a file anew that has changed or could not be read, not one whose reader went away', async () => {
  const path = await copyOfSample('a.mp4')
  const leaving = new AbortController()
  leaving.abort(new Error('gone'))
  await expect(use(path, () => Promise.reject(leaving.signal.reason), leaving.signal)).rejects.toThrow('gone')
  await use(path, durationOf)
  expect(openedCount).toBe(1)
  await expect(use(path, () => Promise.reject(new Error('damaged')))).rejects.toThrow('damaged')
  await use(path, durationOf)
  expect(openedCount).toBe(2)
  await utimes(path, 1, 1)
  await use(path, durationOf)
  expect(openedCount).toBe(3)
})

it('closes what is too many only when its last reader is done', async () => {
  const [first = '', ...others] = await Promise.all(['a', 'b', 'c', 'd'].map(name => copyOfSample(`${name}.mp4`)))
  const duration = await use(first, async media => {
    for (const path of others) await use(path, durationOf)
    return durationOf(media)
  })
  expect(duration).toBe(60)
  await use(first, durationOf)
  expect(openedCount).toBe(5)
})
