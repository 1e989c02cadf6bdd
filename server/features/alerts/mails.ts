import { sql } from 'kysely'
import { z } from 'zod'
import { FiringRowSchema } from '../../../contracts/alerts.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import type { Mail, Mailer } from '../../../core/mail/port.ts'

const batchMax = 16
/** Longer than sending a batch takes. */
const leaseMs = 300_000
const attemptsMax = 5
/** The pause after the first attempt that failed, four times as long after each further one. */
const pauseMs = 60_000

const DueSchema = z.object({
  firing_id: z.uuid(),
  attempts: z.number().int(),
  name: z.string(),
  sentence: z.string(),
  at: z.date(),
  rows: z.array(FiringRowSchema),
  row_count: z.number().int(),
  email: z.string().nullable(),
  is_verified: z.boolean(),
})
type Due = z.infer<typeof DueSchema>

/**
 * Sends the mails about firings that are due. Claimed like deliveries of webhooks: by moving the next attempt behind a
 * lease; a node that dies in the middle may have sent a mail that is then sent again.
 *
 * @param deps.mailer null: this server sends no mail, and each firing says so
 */
export async function sendAlertMails(deps: {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly mailer: Mailer | null
}): Promise<void> {
  for (let due = await claim(deps); due.length > 0; due = await claim(deps))
    for (const mail of due) await settle(deps, mail, await send(deps, mail))
}

async function claim({ db, clock }: { db: Db; clock: Clock }): Promise<Due[]> {
  const now = new Date(clock.nowMs())
  const leaseEnd = new Date(now.getTime() + leaseMs)
  const { rows } = await db.transaction(trx =>
    sql`
      with due as (
        select firing_id from alert_mails where status = 'waiting' and next_attempt_at <= ${now}
        order by next_attempt_at, firing_id limit ${batchMax} for update skip locked
      )
      update alert_mails m set attempts = m.attempts + 1, next_attempt_at = ${leaseEnd}
      from due, alert_firings f, alerts a, users u
      where m.firing_id = due.firing_id and f.id = m.firing_id and a.id = f.alert_id and u.id = m.owner_id
      returning m.firing_id, m.attempts, a.name, f.sentence, f.at, f.rows, f.row_count, u.email,
        u.email_verified_at is not null as is_verified`.execute(trx),
  )
  return z.array(DueSchema).parse(rows)
}

/** Null when it was taken, else why not, and whether that may pass. */
type Failure = { readonly reason: string; readonly mayPass: boolean } | null

async function send({ mailer, log }: { mailer: Mailer | null; log: Log }, due: Due): Promise<Failure> {
  if (mailer === null) return { reason: 'This server sends no mail: SMTP_URL is not set.', mayPass: false }
  if (due.email === null || !due.is_verified)
    return { reason: 'Your account has no verified address: verify it in ACCT.', mayPass: false }
  try {
    await mailer.send(mailOf(due, due.email))
    return null
  } catch (error) {
    if (!(error instanceof AppError)) log.error({ err: error }, 'A mail about an alert could not be sent.')
    const reason = error instanceof AppError ? error.message : 'The mail could not be sent.'
    return { reason, mayPass: true }
  }
}

/** Names and titles come from outside: on one line each, so that they stay what they are in a text of lines. */
function mailOf({ name, sentence, at, rows, row_count }: Due, to: string): Mail {
  const lines = rows.map(row => `- ${oneLine(row.label)}${row.value === null ? '' : `: ${row.value}`}`)
  const more = row_count > rows.length ? [`and ${row_count - rows.length} more`] : []
  return {
    to,
    subject: `Alert: ${oneLine(name)}`.slice(0, 200),
    text: [oneLine(sentence), `Read at ${at.toISOString()}.`, '', ...lines, ...more, ''].join('\n'),
  }
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim()
}

async function settle({ db, clock }: { db: Db; clock: Clock }, { firing_id, attempts }: Due, failure: Failure) {
  const now = new Date(clock.nowMs())
  const isOver = failure !== null && (!failure.mayPass || attempts >= attemptsMax)
  const change =
    failure === null
      ? { status: 'sent' as const, sent_at: now, reason: null }
      : isOver
        ? { status: 'failed' as const, reason: failure.reason }
        : { reason: failure.reason, next_attempt_at: new Date(now.getTime() + pauseMs * 4 ** (attempts - 1)) }
  await db.system
    .updateTable('alert_mails')
    .set(change)
    .where('firing_id', '=', firing_id)
    .where('status', '=', 'waiting')
    // After the lease another node may have begun the next attempt.
    .where('attempts', '=', attempts)
    .execute()
}
