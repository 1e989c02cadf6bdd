import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { countDeadLetters } from '../../ingest/dead-letters.ts'
import { openRig, type Rig } from '../../ingest/test-rig.ts'
import { deadLetterDesk } from './dead-letter-desk.ts'

let rig: Rig
let folder: string
beforeAll(async () => {
  rig = await openRig()
  folder = await mkdtemp(join(tmpdir(), 'cliptape-desk-'))
})
afterAll(async () => {
  await rig.close()
  await rm(folder, { recursive: true })
})

it('deals with all dead letters, however many pages of unreadable ones there are', async () => {
  const broken = Array.from({ length: 450 }, (_, i) => `youtube,v${i},2026-01-01T00:00:00Z,-1`)
  const file = join(folder, 'broken.csv')
  await writeFile(file, ['platform,video_id,observed_at,views', ...broken].join('\n'))
  await rig.import({ files: [file] })
  const { ownerId } = rig.deps
  const desk = deadLetterDesk(rig.deps)
  expect(await desk.replay(ownerId, 'all')).toEqual({ replayed: 0, kept: 450 })
  expect(await desk.discard(ownerId, 'all')).toEqual({ discarded: 450 })
  expect(await countDeadLetters(rig.deps)).toEqual([])
})
