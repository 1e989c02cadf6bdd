import { afterAll, beforeAll, expect, it } from 'vitest'
import { manualClock } from '../../../core/clock.ts'
import { fillAccount } from '../../../test/fill-account.ts'
import { openServerRig, rigNow, type ServerRig } from '../../../test/server-rig.ts'
import { mediaRow } from './media-row.ts'

let rig: ServerRig
beforeAll(async () => {
  rig = await openServerRig()
})
afterAll(() => rig.close())

it('says how much work on media waits, for how long, and why some failed in a day', async () => {
  const clock = manualClock(rigNow.getTime())
  expect(await mediaRow({ db: rig.db, clock })).toMatchObject({ state: 'idle', detail: 'nothing waits' })
  const { ids } = await fillAccount(rig, 'someone@example.com')
  const set = (id: string, row: object) =>
    rig.db.system.updateTable('media_jobs').set(row).where('id', '=', id).execute()
  await set(ids.clip, { status: 'queued', created_at: new Date(clock.nowMs() - 90_000) })
  await set(ids.mediaJob, { status: 'failed', error_code: 'BAD_REQUEST', finished_at: rigNow })
  expect(await mediaRow({ db: rig.db, clock })).toEqual({
    key: 'queue:media',
    group: 'queue',
    name: 'media',
    state: 'ok',
    value: '1 waiting, 0 active',
    detail: 'oldest 90 s; failed in 24 h: BAD_REQUEST 1',
  })
  clock.advance(25 * 3_600_000)
  expect(await mediaRow({ db: rig.db, clock })).toMatchObject({ state: 'warn', detail: 'oldest 90090 s' })
})
