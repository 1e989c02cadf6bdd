import type { OpsRow } from '../../../contracts/ws.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'

/** Work on an hour takes minutes, and others wait for it. */
const waitWarnMs = 15 * 60_000
const failedSinceMs = 24 * 3_600_000
/** The reasons named, most frequent first. */
const reasonsMax = 4

/** The line of OPS about work on media: what waits and for how long, what is under way, and what failed in a day, by reason. */
export async function mediaRow({ db, clock }: { readonly db: Db; readonly clock: Clock }): Promise<OpsRow> {
  const nowMs = clock.nowMs()
  const [open, failed] = await Promise.all([
    db.system
      .selectFrom('media_jobs')
      .select(['status', eb => eb.fn.countAll<string>().as('count'), eb => eb.fn.min('created_at').as('oldest_at')])
      .where('status', 'in', ['queued', 'running'])
      .groupBy('status')
      .execute(),
    db.system
      .selectFrom('media_jobs')
      .select(['error_code', eb => eb.fn.countAll<string>().as('count')])
      .where('status', '=', 'failed')
      .where('finished_at', '>', new Date(nowMs - failedSinceMs))
      .groupBy('error_code')
      .orderBy('count', 'desc')
      .orderBy('error_code')
      .execute(),
  ])
  const queued = open.find(row => row.status === 'queued')
  const waitedMs = queued?.oldest_at == null ? null : nowMs - queued.oldest_at.getTime()
  const [waiting, active] = [Number(queued?.count ?? 0), Number(open.find(row => row.status === 'running')?.count ?? 0)]
  const isOurs = failed.some(row => row.error_code === 'INTERNAL')
  return {
    key: 'queue:media',
    group: 'queue',
    name: 'media',
    state: isOurs || (waitedMs ?? 0) > waitWarnMs ? 'warn' : waiting + active > 0 ? 'ok' : 'idle',
    value: `${waiting} waiting, ${active} active`,
    detail: [
      waitedMs === null ? 'nothing waits' : `oldest ${Math.round(waitedMs / 1000)} s`,
      ...(failed.length === 0 ? [] : [`failed in 24 h: ${failed.slice(0, reasonsMax).map(reasonText).join(', ')}`]),
    ].join('; '),
  }
}

function reasonText(row: { readonly error_code: string | null; readonly count: string }): string {
  return `${row.error_code ?? 'INTERNAL'} ${row.count}`
}
