import { z } from 'zod'
import { manualClock } from '../../core/clock.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import { openPlatforms } from '../../platforms/clients.ts'
import { urlsUnder } from '../../platforms/sandbox/sandbox.ts'
import { openRig } from '../test-rig.ts'
import { createWriter, liveLimits } from '../writer.ts'
import { PollWorker, planWork } from './poll-worker.ts'
import { QuotaBudget } from './quota-budget.ts'

/**
 * A worker in a process of its own, which its parent may kill: reads creators of YouTube from a sandbox until nothing is due,
 * and prints `durable` whenever rows are. Its one argument is JSON.
 */
const { home, origin, apiKey, creatorIds, nowMs } = z
  .object({
    home: z.string(),
    origin: z.url(),
    apiKey: z.string(),
    creatorIds: z.array(z.string()),
    /** It stands still: whoever dies holds its polls until another worker's clock is further. */
    nowMs: z.number(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''))
const rig = await openRig(home)
const { db, ownerId, bus } = rig.deps
const clock = manualClock(nowMs)
const outbound = openOutbound({ configuredOrigins: [origin] })
const writer = createWriter(rig.deps, { ...liveLimits, ageMsMax: 5 })
await bus.subscribe('samples.written', () => {
  process.stdout.write('durable\n')
})
const noAccount = async () => {
  throw new Error('No account is linked here.')
}
const worker = new PollWorker(
  {
    ...rig.deps,
    clock,
    writer,
    platforms: openPlatforms({ outbound, clock, urls: urlsUnder(origin) }),
    budget: new QuotaBudget({ db, clock }),
    withAccessToken: noAccount,
    readApiKey: noAccount,
    operatorKeys: { youtube: apiKey },
    onAccount: noAccount,
    random: () => 0.5,
  },
  4,
)
await db.system
  .insertInto('monitored_creators')
  .values(creatorIds.map(id => ({ owner_id: ownerId, platform: 'youtube' as const, creator_id: id })))
  .onConflict(conflict => conflict.doNothing())
  .execute()
await planWork({ db, clock, random: () => 0.5 }, { platforms: ['youtube'] })
await worker.run()
await worker.close()
await writer.close()
await outbound.close()
await rig.close()
