import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { directoryBlobStore } from '../../../core/blob/directory.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import { type OpenedMedia, openMediaSource } from '../../../media/source/open-source.ts'
import { WorkRoom } from '../../../media/work-room.ts'
import { sampleFile } from '../../../test/media-desk.ts'
import { keyframesIn, wholeFile } from './whole-file.ts'

const outbound = openOutbound({ configuredOrigins: [] })
const folder = mkdtempSync(join(tmpdir(), 'cliptape-whole-'))
const blobs = directoryBlobStore({ root: join(folder, 'blobs') })
const source = { kind: 'blob', blobs, key: 'uploads/a.mp4' } as const
let media: OpenedMedia
beforeAll(async () => {
  await blobs.put(source.key, readFileSync(sampleFile))
  media = await openMediaSource({ outbound }, source)
})
afterAll(async () => {
  await media.close()
  await outbound.close()
  rmSync(folder, { recursive: true, force: true })
})

async function jobWith(bytesMax: number) {
  const own = join(folder, String(bytesMax))
  await mkdir(own)
  const { take } = new WorkRoom({ bytesMax, freeDiskShare: async () => 1 }).share()
  return { folder: own, take, signal: new AbortController().signal }
}

it('brings what lies elsewhere into the folder as it is, and reads the keyframes there', async () => {
  const job = await jobWith(1024 ** 2)
  const file = await wholeFile(media, source, job)
  expect(readFileSync(file.path).equals(readFileSync(sampleFile))).toBe(true)
  const keyframes = await keyframesIn({ outbound }, file, job.signal)
  expect(keyframes?.map(Math.round)).toEqual(Array.from({ length: 30 }, (_, index) => index * 2))
})

it('copies nothing where there is no room for it', async () => {
  const job = await jobWith(500_000)
  await expect(wholeFile(media, source, job)).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: expect.stringContaining('CLIPTAPE_WORK_GIB'),
  })
})
