/**
 * Credits: an append-only ledger, and the balance that it comes to.
 *
 * The row of `credit_accounts` is locked first by every verb, so that verbs of one user take turns on every node: a
 * balance is read, checked and written by one of them at a time, and the store itself refuses one below zero. What a grant
 * has left lies in `credit_lots`: the one that ends first is spent first, and what ends unspent is taken back exactly.
 * A reservation remembers in `credit_holds` which grants it drew from; what it does not need goes back there.
 *
 * Always: available = the lots' sum, reserved = the holds' sum. On an account without a limit lines are written and
 * nothing is refused: a reservation then draws on no grant and leaves `available` alone.
 *
 * A verb runs in a transaction of our own bookkeeping, which may hold what the credits are for as well. The same key with
 * the same request gives the first line again; with another request it is a CONFLICT.
 */
import type { Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'

export interface LedgerContext {
  /** Of `db.transaction`: the application's role may only read the ledger. */
  readonly trx: Transaction<Database>
  readonly at: Date
}

interface LedgerRequest {
  readonly userId: UserId
  /** Shown to the user: what it was for. */
  readonly reason: string
  /** At most one line of a user has it. */
  readonly key: string
}

/** One line as it was written. Amounts are whole credits. */
export interface LedgerLine {
  readonly id: string
  readonly entry: 'grant' | 'reserve' | 'capture' | 'release' | 'expire'
  readonly amount: number
  readonly availableAfter: number
  readonly reservedAfter: number
  /** The request had been made before: nothing was done now. */
  readonly isRepeat: boolean
}

interface Account {
  readonly userId: UserId
  available: number
  reserved: number
  readonly isUnlimited: boolean
}

/**
 * Adds credits, which are there until `expiresAt` (null: for good).
 * @throws AppError NOT_FOUND when there is no such user; CONFLICT for a key that was used for something else
 */
export async function grantCredits(
  ctx: LedgerContext,
  request: LedgerRequest & { readonly amount: number; readonly expiresAt: Date | null },
): Promise<LedgerLine> {
  checkAmount(request.amount)
  const account = await lockAccount(ctx, request.userId)
  const repeat = await repeatOf(ctx, request, { entry: 'grant', amount: request.amount })
  if (repeat) return repeat
  account.available += request.amount
  const line = await writeLine(ctx, account, { ...request, entry: 'grant', refersTo: null })
  await ctx.trx
    .insertInto('credit_lots')
    .values({
      grant_id: line.id,
      user_id: request.userId,
      left_amount: request.amount,
      expires_at: request.expiresAt,
    })
    .execute()
  return line
}

/**
 * Sets credits aside for work that begins; its line's id is the reservation. It ends by `captureCredits` or
 * `releaseCredits`, and never by itself.
 * @throws AppError INSUFFICIENT_CREDITS with `details.available` and `details.needed`; NOT_FOUND; CONFLICT
 */
export async function reserveCredits(
  ctx: LedgerContext,
  request: LedgerRequest & { readonly amount: number },
): Promise<LedgerLine> {
  checkAmount(request.amount)
  const account = await lockAccount(ctx, request.userId)
  const repeat = await repeatOf(ctx, request, { entry: 'reserve', amount: request.amount })
  if (repeat) return repeat
  await expireLots(ctx, account)
  if (!account.isUnlimited) {
    if (account.available < request.amount) throw insufficient(account.available, request.amount)
    account.available -= request.amount
  }
  account.reserved += request.amount
  const line = await writeLine(ctx, account, { ...request, entry: 'reserve', refersTo: null, expiresAt: null })
  const draws = account.isUnlimited ? [{ grantId: null, amount: request.amount }] : await drawLots(ctx, request)
  await ctx.trx
    .insertInto('credit_holds')
    .values(
      draws.map(draw => ({
        reservation_id: line.id,
        grant_id: draw.grantId,
        user_id: request.userId,
        amount: draw.amount,
      })),
    )
    .execute()
  return line
}

/**
 * Spends what the work has cost, and ends the reservation: what it does not need is released in the same transaction.
 * @param request `amount` at least 1 and at most what is reserved
 * @throws AppError NOT_FOUND for a reservation that this user never had; CONFLICT when it has ended, or held less
 */
export async function captureCredits(
  ctx: LedgerContext,
  request: LedgerRequest & { readonly reservationId: string; readonly amount: number },
): Promise<LedgerLine> {
  checkAmount(request.amount)
  const account = await lockAccount(ctx, request.userId)
  const refersTo = request.reservationId
  const repeat = await repeatOf(ctx, request, { entry: 'capture', amount: request.amount, refersTo })
  if (repeat) return repeat
  const holds = await takeHolds(ctx, request)
  const held = sumOf(holds)
  if (held < request.amount) {
    throw new AppError('CONFLICT', `The reservation holds ${held} credits: ${request.amount} cannot be taken from it.`)
  }
  account.reserved -= request.amount
  const line = await writeLine(ctx, account, { ...request, entry: 'capture', refersTo, expiresAt: null })
  const rest = afterSpending(holds, request.amount)
  if (rest.length > 0) {
    await giveBack(
      ctx,
      account,
      { ...request, reason: `Not needed: ${request.reason}`, key: `${request.key}:rest` },
      rest,
    )
  }
  return line
}

/**
 * Gives all of a reservation back.
 * @throws AppError NOT_FOUND for a reservation that this user never had; CONFLICT when it has ended
 */
export async function releaseCredits(
  ctx: LedgerContext,
  request: LedgerRequest & { readonly reservationId: string },
): Promise<LedgerLine> {
  const account = await lockAccount(ctx, request.userId)
  const repeat = await repeatOf(ctx, request, { entry: 'release', refersTo: request.reservationId })
  if (repeat) return repeat
  return await giveBack(ctx, account, request, await takeHolds(ctx, request))
}

/** Takes back what was left of this user's grants when they ended. */
export async function expireCredits(ctx: LedgerContext, userId: UserId): Promise<void> {
  await expireLots(ctx, await lockAccount(ctx, userId))
}

function checkAmount(amount: number): void {
  if (Number.isSafeInteger(amount) && amount > 0) return
  throw new AppError('BAD_REQUEST', 'An amount of credits is a whole number of 1 or more.')
}

/** The user's balance, held until the transaction ends. Made by the first line. */
async function lockAccount({ trx }: LedgerContext, userId: UserId): Promise<Account> {
  await trx
    .insertInto('credit_accounts')
    .columns(['user_id', 'is_unlimited'])
    .expression(eb => eb.selectFrom('users').select(['id', 'is_local']).where('id', '=', userId))
    .onConflict(conflict => conflict.doNothing())
    .execute()
  const row = await trx
    .selectFrom('credit_accounts')
    .select(['available', 'reserved', 'is_unlimited'])
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw new AppError('NOT_FOUND', 'There is no such account.')
  return {
    userId,
    available: Number(row.available),
    reserved: Number(row.reserved),
    isUnlimited: row.is_unlimited,
  }
}

/** The line that this request has written before, if it has. */
async function repeatOf(
  { trx }: LedgerContext,
  request: LedgerRequest,
  same: { entry: LedgerLine['entry']; amount?: number; refersTo?: string },
): Promise<LedgerLine | null> {
  const row = await trx
    .selectFrom('credit_ledger')
    .select(['id', 'entry', 'amount', 'refers_to', 'available_after', 'reserved_after'])
    .where('user_id', '=', request.userId)
    .where('idempotency_key', '=', request.key)
    .executeTakeFirst()
  if (!row) return null
  const isSame =
    row.entry === same.entry &&
    (same.amount === undefined || Number(row.amount) === same.amount) &&
    row.refers_to === (same.refersTo ?? null)
  if (!isSame) throw new AppError('CONFLICT', 'This key was used for another change of the credits.')
  return {
    id: row.id,
    entry: row.entry,
    amount: Number(row.amount),
    availableAfter: Number(row.available_after),
    reservedAfter: Number(row.reserved_after),
    isRepeat: true,
  }
}

/** One line, and the balance that it leaves. */
async function writeLine(
  { trx, at }: LedgerContext,
  account: Account,
  line: {
    entry: LedgerLine['entry']
    amount: number
    reason: string
    key: string
    refersTo: string | null
    expiresAt: Date | null
  },
): Promise<LedgerLine> {
  const { id } = await trx
    .insertInto('credit_ledger')
    .values({
      user_id: account.userId,
      entry: line.entry,
      amount: line.amount,
      reason: line.reason,
      idempotency_key: line.key,
      refers_to: line.refersTo,
      available_after: account.available,
      reserved_after: account.reserved,
      expires_at: line.expiresAt,
      created_at: at,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await trx
    .updateTable('credit_accounts')
    .set({ available: account.available, reserved: account.reserved, updated_at: at })
    .where('user_id', '=', account.userId)
    .execute()
  return {
    id,
    entry: line.entry,
    amount: line.amount,
    availableAfter: account.available,
    reservedAfter: account.reserved,
    isRepeat: false,
  }
}

interface Draw {
  readonly grantId: string | null
  readonly amount: number
}

/** Takes an amount that is there from the lots, those that end first before the others. */
async function drawLots(
  { trx }: LedgerContext,
  request: { readonly userId: UserId; readonly amount: number },
): Promise<Draw[]> {
  const lots = await trx
    .selectFrom('credit_lots')
    .select(['grant_id', 'left_amount'])
    .where('user_id', '=', request.userId)
    .where('left_amount', '>', '0')
    .orderBy('expires_at', order => order.asc().nullsLast())
    .orderBy('grant_id')
    .execute()
  const draws: Draw[] = []
  let needed = request.amount
  for (const lot of lots) {
    if (needed === 0) break
    const amount = Math.min(needed, Number(lot.left_amount))
    needed -= amount
    draws.push({ grantId: lot.grant_id, amount })
    await addToLot(trx, lot.grant_id, -amount)
  }
  if (needed > 0) throw new Error('A balance of credits says more than its grants have left.')
  return draws
}

async function addToLot(trx: Transaction<Database>, grantId: string, amount: number): Promise<void> {
  await trx
    .updateTable('credit_lots')
    .set(eb => ({ left_amount: eb('left_amount', '+', String(amount)) }))
    .where('grant_id', '=', grantId)
    .execute()
}

/** Ends a reservation: what it held, those grants first that end first. */
async function takeHolds(
  { trx }: LedgerContext,
  request: { readonly userId: UserId; readonly reservationId: string },
): Promise<Draw[]> {
  const holds = await trx
    .selectFrom('credit_holds')
    .leftJoin('credit_lots', 'credit_lots.grant_id', 'credit_holds.grant_id')
    .select(['credit_holds.grant_id', 'credit_holds.amount'])
    .where('credit_holds.user_id', '=', request.userId)
    .where('credit_holds.reservation_id', '=', request.reservationId)
    .orderBy('credit_lots.expires_at', order => order.asc().nullsLast())
    .orderBy('credit_holds.grant_id')
    .execute()
  if (holds.length === 0) throw await whyNotHeld(trx, request)
  await trx
    .deleteFrom('credit_holds')
    .where('user_id', '=', request.userId)
    .where('reservation_id', '=', request.reservationId)
    .execute()
  return holds.map(hold => ({ grantId: hold.grant_id, amount: Number(hold.amount) }))
}

async function whyNotHeld(
  trx: Transaction<Database>,
  request: { readonly userId: UserId; readonly reservationId: string },
): Promise<AppError> {
  const reservation = await trx
    .selectFrom('credit_ledger')
    .select('id')
    .where('user_id', '=', request.userId)
    .where('id', '=', request.reservationId)
    .where('entry', '=', 'reserve')
    .executeTakeFirst()
  return reservation
    ? new AppError('CONFLICT', 'This reservation of credits has ended already.')
    : new AppError('NOT_FOUND', 'There is no such reservation of credits.')
}

/** What is left of the draws when the first `amount` credits of them are spent. */
function afterSpending(draws: readonly Draw[], amount: number): Draw[] {
  let toSpend = amount
  return draws.flatMap(draw => {
    const spent = Math.min(toSpend, draw.amount)
    toSpend -= spent
    return draw.amount > spent ? [{ grantId: draw.grantId, amount: draw.amount - spent }] : []
  })
}

/** Writes a release. What goes back to a grant that has ended meanwhile ends at once. */
async function giveBack(
  ctx: LedgerContext,
  account: Account,
  request: LedgerRequest & { readonly reservationId: string },
  draws: readonly Draw[],
): Promise<LedgerLine> {
  const amount = sumOf(draws)
  account.reserved -= amount
  if (!account.isUnlimited) account.available += amount
  const line = await writeLine(ctx, account, {
    entry: 'release',
    amount,
    reason: request.reason,
    key: request.key,
    refersTo: request.reservationId,
    expiresAt: null,
  })
  for (const { grantId, amount } of draws) if (grantId !== null) await addToLot(ctx.trx, grantId, amount)
  await expireLots(ctx, account, request.reservationId)
  return line
}

function sumOf(draws: readonly Draw[]): number {
  return draws.reduce((sum, draw) => sum + draw.amount, 0)
}

/**
 * One line for each grant that has ended with something left. A grant ends once by itself, and once more for each
 * reservation that gave something back to it afterwards: those name the reservation in their key.
 */
async function expireLots(ctx: LedgerContext, account: Account, reservationId?: string): Promise<void> {
  const lots = await ctx.trx
    .selectFrom('credit_lots')
    .innerJoin('credit_ledger', 'credit_ledger.id', 'credit_lots.grant_id')
    .select(['credit_lots.grant_id', 'credit_lots.left_amount', 'credit_ledger.reason'])
    .where('credit_lots.user_id', '=', account.userId)
    .where('credit_lots.left_amount', '>', '0')
    .where('credit_lots.expires_at', '<=', ctx.at)
    .orderBy('credit_lots.expires_at')
    .orderBy('credit_lots.grant_id')
    .execute()
  for (const lot of lots) {
    const amount = Number(lot.left_amount)
    account.available -= amount
    await addToLot(ctx.trx, lot.grant_id, -amount)
    await writeLine(ctx, account, {
      entry: 'expire',
      amount,
      reason: `Ended unused: ${lot.reason}`,
      key: `expire:${lot.grant_id}${reservationId === undefined ? '' : `:${reservationId}`}`,
      refersTo: lot.grant_id,
      expiresAt: null,
    })
  }
}

function insufficient(available: number, needed: number): AppError {
  return new AppError(
    'INSUFFICIENT_CREDITS',
    `This needs ${needed} credits and you have ${available}: wait for the next period, or choose a larger plan.`,
    { details: { available, needed } },
  )
}
