import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { expect, it } from 'vitest'
import { manualClock } from '../../../core/clock.ts'
import { openTestDb } from '../../../core/db/test-db.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import { fillAccount } from '../../../test/fill-account.ts'
import { testMediaDesk } from '../../../test/media-desk.ts'
import { outputKey, uploadFile } from './files.ts'
import { sweepLostFiles } from './lost-files.ts'

const dayMs = 24 * 3_600_000

it('removes files that no row knows when they are a day old, and no others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-lost-'))
  const db = await openTestDb()
  const outbound = openOutbound({ configuredOrigins: [] })
  const { userId: ownerId, ids } = await fillAccount({ db }, 'a@example.com')
  // Files bear the time of the disk.
  const clock = manualClock(Date.now())
  const media = testMediaDesk({ folder, clock, outbound })
  const deps = { db, clock, media, log: pino({ level: 'silent' }) }
  const known = [
    outputKey({ ownerId, jobId: ids.clip, fileId: ids.output }),
    uploadFile({ ownerId, uploadId: ids.upload }),
  ]
  const lost = [
    outputKey({ ownerId, jobId: ids.clip, fileId: ids.key }),
    uploadFile({ ownerId, uploadId: ids.webhook }),
    'media/somebody/odd',
  ]
  for (const key of [...known, ...lost]) await media.blobs.put(key, Buffer.from('x'))
  expect(await sweepLostFiles(deps)).toBe(0)
  clock.advance(2 * dayMs)
  expect(await sweepLostFiles(deps)).toBe(3)
  expect((await media.blobs.list('', 10)).sort()).toEqual([...known].sort())
  await Promise.all([db.close(), outbound.close()])
  await rm(folder, { recursive: true, force: true })
})
