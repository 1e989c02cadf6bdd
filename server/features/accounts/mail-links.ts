import type { Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Mail, Mailer } from '../../../core/mail/port.ts'
import type { Vault } from '../../../core/vault/port.ts'
import { endSessions } from '../../auth/sessions.ts'
import type { MailClaims, MailPurpose } from '../../auth/signed-token.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { tellNumbersEnded } from '../account/ended-numbers.ts'
import { recordAudit } from '../audit/record.ts'
import { revokeAllKeys, tellOfKeys } from '../keys/service.ts'
import { removeAllLinked } from '../links/remove-all.ts'
import { pauseAllWebhooks } from '../webhooks/service.ts'
import { type AccountDeps, setPassword, tellEnded } from './account-steps.ts'

/** How long a link is good. */
const linkMs: Readonly<Record<MailPurpose, number>> = { verify_email: 24 * 3_600_000, reset_password: 3_600_000 }

/** The pages that links lead to: `pages.ts`. */
export const linkPaths: Readonly<Record<MailPurpose, string>> = {
  verify_email: '/auth/verify-email',
  reset_password: '/auth/reset-password',
}

/**
 * Sends the link that verifies the user's address once more.
 * @throws AppError NOT_CONFIGURED without a mail server; CONFLICT when there is nothing to verify; RATE_LIMITED
 */
export async function askVerification(deps: AccountDeps, userId: UserId, caller: Caller): Promise<void> {
  mailerOf(deps)
  const user = await deps.db.asUser(userId, trx =>
    trx.selectFrom('users').select(['email', 'email_verified_at']).where('id', '=', userId).executeTakeFirst(),
  )
  if (!user || user.email === null) throw new AppError('CONFLICT', 'This account has no e-mail address to verify.')
  if (user.email_verified_at !== null)
    throw new AppError('CONFLICT', 'The address of this account is verified already.')
  await deps.accounts.throttle.spend('mailAsked', caller.address)
  await sendVerification(deps, { id: userId, email: user.email })
}

/** Sends the link, unless the account was sent too many within the hour. */
export async function sendVerification(deps: AccountDeps, user: { id: UserId; email: string }): Promise<void> {
  await sendLink(deps, user, 'verify_email', link => ({
    to: user.email,
    subject: 'Verify your address for Cliptape',
    text: `Somebody made an account at Cliptape with this address. If that was you, open this link within 24 hours:

${link}

If it was not you, leave it: nobody can use your address without this link.
`,
  }))
}

/**
 * Sends a link that sets another password, if the address has an account. Answers the same either way, at once: what is
 * done for an account that is there happens after the answer.
 * @throws AppError NOT_CONFIGURED without a mail server; RATE_LIMITED
 */
export async function forgotPassword(deps: AccountDeps, email: string, caller: Caller): Promise<void> {
  mailerOf(deps)
  await deps.accounts.throttle.spend('mailAsked', caller.address)
  deps.accounts.later(sendReset(deps, email))
}

async function sendReset(deps: AccountDeps, email: string): Promise<void> {
  const user = await deps.db.system
    .selectFrom('users')
    .select(['id', 'email'])
    .where(eb => eb(eb.fn('lower', ['email']), '=', email.toLowerCase()))
    .executeTakeFirst()
  if (!user || user.email === null) return
  const to = user.email
  await sendLink(deps, { id: user.id, email: to }, 'reset_password', link => ({
    to,
    subject: 'Set another password for Cliptape',
    text: `Somebody asked for another password for the account of this address. If that was you, open this link within an hour:

${link}

If it was not you, leave it: your password stays as it is.
`,
  }))
}

/**
 * Verifies the address that a link was sent to. A second use of the same link does nothing, and says so.
 * @throws AppError BAD_REQUEST for a link that is not good
 */
export async function verifyEmail(deps: AccountDeps, token: string, caller: Caller): Promise<void> {
  const link = await readLink(deps, token, 'verify_email')
  const now = new Date(deps.clock.nowMs())
  await deps.db.transaction(async trx => {
    await useLink(trx, link, now)
    await trx
      .updateTable('users')
      .set({ email_verified_at: now })
      .where('id', '=', link.userId)
      .where('email_verified_at', 'is', null)
      .execute()
    await recordAudit(trx, link.userId, caller, { action: 'email.verified', target: null })
  })
}

/**
 * Sets the password by a link, which proves the address as well: every session ends. On an address that nobody had proved
 * before, whoever made the account never showed that it is theirs: whatever else could sign in is unlinked, API keys end,
 * webhooks pause, accounts on platforms and developer credentials go. Otherwise a stranger could register somebody's address and wait with a key until its owner moves in.
 * @throws AppError BAD_REQUEST for a link that is not good
 */
export async function resetPassword(
  deps: AccountDeps & Pick<ServerDeps, 'vault'>,
  request: { token: string; new_password: string },
  caller: Caller,
): Promise<void> {
  const link = await readLink(deps, request.token, 'reset_password')
  const { userId } = link
  const hash = await deps.accounts.passwords.hash(request.new_password)
  const nowMs = deps.clock.nowMs()
  const now = new Date(nowMs)
  const { ended, keys, isTaken } = await deps.db.transaction(async trx => {
    await useLink(trx, link, now)
    const proved = await trx
      .updateTable('users')
      .set({ email_verified_at: now })
      .where('id', '=', userId)
      .where('email_verified_at', 'is', null)
      .executeTakeFirst()
    const isTaken = proved.numUpdatedRows > 0n
    const keys = isTaken ? await takeFromStrangers(deps.vault, trx, { userId, caller, now }) : []
    await setPassword(trx, { userId, hash, nowMs })
    // Other links that are on their way were asked for before this password was.
    await trx
      .updateTable('mail_links')
      .set({ used_at: now })
      .where('user_id', '=', userId)
      .where('purpose', '=', 'reset_password')
      .where('used_at', 'is', null)
      .execute()
    await recordAudit(trx, userId, caller, { action: 'password.reset', target: null })
    return { keys, isTaken, ended: await endSessions(trx, { userId, reason: 'password_changed', nowMs }) }
  })
  await tellEnded(deps, userId, ended)
  if (isTaken) await tellNumbersEnded(deps, userId)
  await tellOfKeys(deps, keys)
}

/** @returns the prefixes of the keys that ended */
async function takeFromStrangers(
  vault: Vault,
  trx: Transaction<Database>,
  { userId, caller, now }: { userId: UserId; caller: Caller; now: Date },
): Promise<string[]> {
  await trx.deleteFrom('identities').where('user_id', '=', userId).execute()
  await removeAllLinked(vault, trx, { userId, caller })
  const reason = 'The address of this account was proved only after this was made: resume it if it is yours.'
  await pauseAllWebhooks(trx, userId, { caller, now, reason })
  return await revokeAllKeys(trx, userId, { caller, now })
}

/**
 * A link of one use under which the user sets a password, for the operator to hand over.
 * @throws AppError NOT_CONFIGURED when nobody knows where it should lead
 */
export async function passwordLink(deps: AccountDeps, userId: UserId): Promise<string> {
  return await makeLink(deps, userId, linkBaseOf(deps), 'reset_password')
}

async function sendLink(
  deps: AccountDeps,
  user: { id: string; email: string },
  purpose: MailPurpose,
  mailOf: (link: string) => Mail,
): Promise<void> {
  const mailer = mailerOf(deps)
  const base = linkBaseOf(deps)
  if (!(await deps.accounts.throttle.mayMail(`${purpose}:${user.id}`))) return
  await mailer.send(mailOf(await makeLink(deps, user.id, base, purpose)))
}

function linkBaseOf({ accounts }: AccountDeps): string {
  const base = accounts.linkBase()
  if (base !== null) return base
  throw new AppError('NOT_CONFIGURED', 'Links need PUBLIC_URL: nobody knows where they should lead.')
}

async function makeLink(
  { accounts, clock, db }: AccountDeps,
  user: string,
  base: string,
  purpose: MailPurpose,
): Promise<string> {
  const nowMs = clock.nowMs()
  const { id: linkId, user_id: userId } = await db.system
    .insertInto('mail_links')
    .values({
      user_id: user,
      purpose,
      created_at: new Date(nowMs),
      expires_at: new Date(nowMs + linkMs[purpose]),
      used_at: null,
    })
    .returning(['id', 'user_id'])
    .executeTakeFirstOrThrow()
  const token = await accounts.tokens.signMail({ userId: UserIdSchema.parse(userId), linkId, purpose }, linkMs[purpose])
  return `${base}${linkPaths[purpose]}?token=${token}`
}

async function readLink(deps: AccountDeps, token: string, purpose: MailPurpose): Promise<MailClaims> {
  const link = await deps.accounts.tokens.readMail(token)
  if (link === null || link.purpose !== purpose) throw linkRefused()
  const row = await deps.db.system
    .selectFrom('mail_links')
    .select('id')
    .where('id', '=', link.linkId)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  if (!row) throw linkRefused()
  return link
}

/** Takes the one use. Of two at once the second finds it taken. */
async function useLink(trx: Transaction<Database>, link: MailClaims, now: Date): Promise<void> {
  const used = await trx
    .updateTable('mail_links')
    .set({ used_at: now })
    .where('id', '=', link.linkId)
    .where('user_id', '=', link.userId)
    .where('purpose', '=', link.purpose)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst()
  if (used.numUpdatedRows === 0n) throw linkRefused()
}

function mailerOf({ accounts }: AccountDeps): Mailer {
  if (accounts.mailer) return accounts.mailer
  throw new AppError('NOT_CONFIGURED', 'This server sends no mail: SMTP_URL is not set.')
}

function linkRefused(): AppError {
  return new AppError('BAD_REQUEST', 'This link is not good any more: it was used, or is too old. Ask for another one.')
}
