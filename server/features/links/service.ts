/**
 * Linking an account: from the question to the platform until its answer.
 *
 * The state is 256 random bits (a ticket 128), kept as a hash, good once and for ten minutes, and bound to the user, the platform and the
 * redirect URI. It survives a restart, and another node may take the answer. What the platform's page needs (state, PKCE
 * verifier) lies in the vault until it is used. No network call is made inside a transaction: the state is taken in one, the
 * code is exchanged, and the account is written in another.
 */
import assert from 'node:assert/strict'
import type { Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import { type Platform, type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import {
  type LinkRequest,
  type LinkState,
  type PlatformAccount,
  type StartedLink,
  scopeChoices,
} from '../../../contracts/platform-accounts.ts'
import type { Database } from '../../../core/db/schema.ts'
import { linkableAccounts } from '../../../platforms/linkable-accounts.ts'
import {
  type AccountReading,
  type CredentialKind,
  credentialKinds,
  type DeveloperCredentials,
  PlatformError,
  type TokenSet,
} from '../../../platforms/port.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { isLoopbackHost } from '../../http/hosts.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { settingsDefault } from '../../settings.ts'
import { recordAudit } from '../audit/record.ts'
import { kindFacts } from '../credentials/kinds.ts'
import { readCredentials } from '../credentials/stored.ts'
import { linkTransitions, statusesBefore } from '../credentials/transitions.ts'
import { type AccountRow, accountOf, noSuchAccount, storeAccount } from './accounts.ts'
import {
  hashOf,
  type LinkRow,
  type LinkSecret,
  linkRefused,
  linkStateOf,
  putLinkSecret,
  randomText,
  randomTicket,
  readLinkSecret,
  removeLinkSecrets,
} from './link-row.ts'
import { mayReturnTo, redirectUriOf } from './redirect-uris.ts'

type Trx = Transaction<Database>
export type LinkDeps = Pick<ServerDeps, 'db' | 'vault' | 'bus' | 'clock' | 'log' | 'platforms' | 'settings'> & {
  readonly accounts: Pick<ServerDeps['accounts'], 'linkBase'>
}

const linkMs = 10 * 60_000
/** How long a link that ended is kept, for who asks how it went. */
const keptMs = 24 * 3_600_000
/** Links of one user that may wait; a further one ends the oldest. */
const waitingMax = 20

/** The short way to the platform's page. */
export const shortPath = '/link'

/** How a link ended. `returnUrl`: where the browser goes on to; null for a page of ours. */
export type LinkOutcome = { readonly returnUrl: string | null; readonly platform: Platform } & (
  | { readonly account: PlatformAccount }
  | { readonly refusal: AppError }
)

/**
 * Begins a link with the user's own credentials.
 * @throws AppError CONFLICT without credentials, or with refused ones; NOT_FOUND for an account that is not the user's;
 * BAD_REQUEST for a return address that is not allowed
 */
export async function startLink(
  deps: LinkDeps,
  caller: Caller,
  platform: Platform,
  request: LinkRequest,
): Promise<StartedLink> {
  const userId = ownerOf(caller)
  const base = baseOf(deps)
  const { corsOrigins } = { ...settingsDefault, ...deps.settings }
  const returnUrl = request.redirect_url ?? null
  if (returnUrl !== null && !mayReturnTo(returnUrl, { base, corsOrigins })) {
    throw new AppError(
      'BAD_REQUEST',
      'The parameter "redirect_url" must lie on this server, on this machine, or on an origin of CORS_ORIGINS.',
      { details: { field: 'redirect_url' } },
    )
  }
  const ticket = randomTicket()
  const nowMs = deps.clock.nowMs()
  const expiresAt = new Date(nowMs + linkMs)
  return await deps.db.asUser(userId, async trx => {
    if (request.account_id !== undefined) await assertOwn(trx, userId, platform, request.account_id)
    const { kind, vaultId } = await usableCredentials(trx, userId, platform, request.kind)
    const credentials = await readCredentials(deps.vault, trx, { ownerId: userId, vaultId })
    const scopes = scopesToAsk(kind, request.scopes)
    const secret: LinkSecret = { state: randomText(), codeVerifier: randomText(), scopes }
    await makeRoom(deps, trx, userId)
    const { uri: redirectUri, comesBack } = redirectUriOf(kind, base)
    const row = await trx
      .insertInto('account_links')
      .values({
        user_id: userId,
        platform,
        credentials_kind: kind,
        state_hash: hashOf(secret.state),
        ticket_hash: hashOf(ticket),
        ticket_used_at: null,
        secret_vault_id: await putLinkSecret(deps.vault, trx, userId, secret),
        redirect_uri: redirectUri,
        return_url: returnUrl,
        expected_account_id: request.account_id ?? null,
        reason: null,
        account_id: null,
        created_at: new Date(nowMs),
        expires_at: expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return {
      linkId: row.id,
      authorizationUrl: authorizationUrlOf(deps, row, credentials, secret),
      state: secret.state,
      expiresAt: expiresAt.toISOString(),
      ticketUrl: `${base}/api/auth/link/${platform}?ticket=${ticket}`,
      shortUrl: isLoopbackHost(new URL(base).hostname) ? null : `${base}${shortPath}?t=${ticket}`,
      redirectUri,
      comesBack,
    }
  })
}

/** What is asked for: all that can be used, or what was chosen with what a link needs. @throws AppError BAD_REQUEST */
function scopesToAsk(kind: CredentialKind, chosen: readonly string[] | undefined): string[] {
  const choices = scopeChoices[kind]
  const unknown = chosen?.find(scope => !choices.some(choice => choice.scope === scope))
  if (unknown !== undefined) {
    const known = choices.map(choice => choice.scope).join(', ')
    throw new AppError('BAD_REQUEST', `The parameter "scopes" may hold some of these: ${known}.`, {
      details: { field: 'scopes' },
    })
  }
  return choices
    .filter(({ scope, isNeeded }) => isNeeded || (chosen?.includes(scope) ?? true))
    .map(({ scope }) => scope)
}

/**
 * Takes the one use of a ticket.
 * @param platform the only one that the ticket may be for; null for any
 * @returns the platform's page
 * @throws AppError BAD_REQUEST for a ticket that is not good
 */
export async function useTicket(deps: LinkDeps, platform: Platform | null, ticket: string): Promise<string> {
  const found = await deps.db.system
    .selectFrom('account_links')
    .select(['id', 'user_id'])
    .where('ticket_hash', '=', hashOf(ticket))
    .$if(platform !== null, query => query.where('platform', '=', platform ?? 'youtube'))
    .executeTakeFirst()
  if (!found) throw linkRefused()
  const userId = UserIdSchema.parse(found.user_id)
  const now = new Date(deps.clock.nowMs())
  return await deps.db.asUser(userId, async trx => {
    const row = await trx
      .updateTable('account_links')
      .set({ ticket_used_at: now })
      .where('id', '=', found.id)
      .where('ticket_used_at', 'is', null)
      .where('status', '=', 'waiting')
      .where('expires_at', '>', now)
      .returningAll()
      .executeTakeFirst()
    if (!row) throw linkRefused()
    const secret = await readLinkSecret(deps.vault, trx, { userId, vaultId: row.secret_vault_id })
    return authorizationUrlOf(deps, row, await credentialsOfLink(deps, trx, row), secret)
  })
}

/**
 * Takes the platform's answer: the query of the address that the browser came back with.
 * @param ownerId who brings it, where somebody has signed in for that
 * @throws AppError BAD_REQUEST for an answer to no link that is under way
 */
export async function finishLink(
  deps: LinkDeps,
  caller: Caller,
  o: { platform: Platform; query: Readonly<Record<string, string>>; ownerId: UserId | null },
): Promise<LinkOutcome> {
  const taken = await takeState(deps, o)
  const { row } = taken
  const end = { returnUrl: returnUrlOf(row, 'failed'), platform: row.platform }
  try {
    const stored = await keep(deps, caller, taken, await exchange(deps, taken, o.query))
    await deps.bus
      .publish('accounts.linked', { atMs: deps.clock.nowMs() })
      .catch(err => deps.log.warn({ err }, 'Nobody could be told of a new account: it is read a little later.'))
    return { ...end, returnUrl: returnUrlOf(row, 'connected'), account: stored }
  } catch (error) {
    const refusal = refusalOf(error)
    await fail(deps, row, refusal?.message ?? 'Something failed on our side: link the account again.')
    if (refusal === null) throw error
    return { ...end, refusal }
  }
}

/**
 * The same with an address that a person pasted.
 * @throws AppError BAD_REQUEST for an address of no link of theirs, or what the platform refused
 */
export async function completeLink(
  deps: LinkDeps,
  caller: Caller,
  o: { platform: Platform; url: string },
): Promise<PlatformAccount> {
  const text = o.url.trim()
  if (!URL.canParse(text)) {
    throw new AppError('BAD_REQUEST', 'The parameter "url" must be the whole address at which the browser ended.', {
      details: { field: 'url' },
    })
  }
  const query = Object.fromEntries(new URL(text).searchParams)
  const outcome = await finishLink(deps, caller, { platform: o.platform, query, ownerId: ownerOf(caller) })
  if ('refusal' in outcome) throw outcome.refusal
  return outcome.account
}

/** How a link of the caller goes. @throws AppError NOT_FOUND */
export async function readLink(deps: LinkDeps, caller: Caller, linkId: string): Promise<LinkState> {
  const userId = ownerOf(caller)
  const row = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('account_links')
      .selectAll()
      .where('id', '=', linkId)
      .where('user_id', '=', userId)
      .executeTakeFirst(),
  )
  if (!row) throw new AppError('NOT_FOUND', 'You have no such link: POST /api/auth/link/{platform} begins one.')
  return linkStateOf(row, deps.clock.nowMs())
}

interface Taken {
  readonly row: LinkRow
  readonly userId: UserId
  readonly kind: CredentialKind
  readonly secret: LinkSecret
  readonly credentials: DeveloperCredentials
  readonly credentialsVaultId: string
}

/** Takes the one use of a state. Of two at once the second finds it taken. */
async function takeState(
  deps: LinkDeps,
  o: { platform: Platform; query: Readonly<Record<string, string>>; ownerId: UserId | null },
): Promise<Taken> {
  const state = o.query.state ?? ''
  const found = await deps.db.system
    .selectFrom('account_links')
    .select(['id', 'user_id'])
    .where('state_hash', '=', hashOf(state))
    .where('platform', '=', o.platform)
    .executeTakeFirst()
  if (!found || (o.ownerId !== null && o.ownerId !== found.user_id)) throw linkRefused()
  const userId = UserIdSchema.parse(found.user_id)
  const now = new Date(deps.clock.nowMs())
  return await deps.db.asUser(userId, async trx => {
    const row = await trx
      .updateTable('account_links')
      .set({ status: 'exchanging' })
      .where('id', '=', found.id)
      .where('status', 'in', statusesBefore(linkTransitions, 'exchanging'))
      .where('expires_at', '>', now)
      .returningAll()
      .executeTakeFirst()
    if (!row) throw linkRefused()
    const secret = await readLinkSecret(deps.vault, trx, { userId, vaultId: row.secret_vault_id })
    await removeLinkSecrets(deps.vault, trx, userId, [row])
    const { kind, vaultId } = await usableCredentials(trx, userId, row.platform, kindOf(row))
    const credentials = await readCredentials(deps.vault, trx, { ownerId: userId, vaultId })
    return { row, userId, kind, secret, credentials, credentialsVaultId: vaultId }
  })
}

async function exchange(
  { platforms }: LinkDeps,
  { row, kind, secret, credentials }: Taken,
  query: Readonly<Record<string, string>>,
): Promise<{ tokens: TokenSet; accounts: readonly AccountReading[] }> {
  const answer = platforms.auth(kind).readCallback(query)
  if ('error' in answer)
    throw new AppError('BAD_REQUEST', answer.description || `The platform refused: ${answer.error}.`)
  const tokens = await platforms.auth(kind).exchangeCode({
    credentials,
    redirectUri: row.redirect_uri,
    codeVerifier: secret.codeVerifier,
    code: answer.code,
  })
  const access = { accessToken: tokens.accessToken, scopes: tokens.scopes }
  return { tokens, accounts: await linkableAccounts(platforms.data(kind), access) }
}

/**
 * Keeps what was linked: every account that the grant speaks for. Where those are several (Facebook), the platform's page is
 * where the user chooses among them.
 * @returns the account that was to be linked again, else the first one
 */
async function keep(
  deps: LinkDeps,
  caller: Caller,
  { row, userId, kind, secret, credentialsVaultId }: Taken,
  { tokens, accounts }: { tokens: TokenSet; accounts: readonly AccountReading[] },
): Promise<PlatformAccount> {
  return await deps.db.asUser(userId, async trx => {
    const expected = await expectedAmong(trx, row, accounts)
    const asked = secret.scopes
    let shown: AccountRow | null = null
    for (const account of expected === null ? accounts : [expected, ...(await othersKnown(trx, row, accounts))]) {
      const stored = await storeAccount(deps, trx, { userId, kind, asked, credentialsVaultId, tokens, account })
      shown ??= stored
      await recordAudit(trx, userId, caller, {
        action: 'platform.linked',
        target: `account:${stored.id}`,
        details: { platform: row.platform, kind, platformAccountId: stored.platform_account_id, scopes: stored.scopes },
      })
    }
    assert(shown !== null, 'a grant speaks for an account')
    const done = await trx
      .updateTable('account_links')
      .set({ status: 'connected', account_id: shown.id })
      .where('id', '=', row.id)
      .where('status', 'in', statusesBefore(linkTransitions, 'connected'))
      .executeTakeFirst()
    if (done.numUpdatedRows === 0n) throw linkRefused()
    return accountOf(shown, deps.platforms)
  })
}

/**
 * The account that was to be linked again; null when none was named. The browser may be signed in as somebody else at the
 * platform: then nothing of theirs is kept in the slot of another.
 * @throws AppError CONFLICT
 */
async function expectedAmong(
  trx: Trx,
  row: LinkRow,
  accounts: readonly AccountReading[],
): Promise<AccountReading | null> {
  if (row.expected_account_id === null) return null
  const expected = await trx
    .selectFrom('platform_accounts')
    .select(['platform_account_id', 'display_name'])
    .where('id', '=', row.expected_account_id)
    .executeTakeFirst()
  if (!expected) throw noSuchAccount()
  const found = accounts.find(account => account.creatorId === expected.platform_account_id)
  if (found) return found
  const name = expected.display_name || expected.platform_account_id
  const names = accounts.map(account => account.name || account.creatorId).join(', ')
  throw new AppError(
    'CONFLICT',
    `The browser is signed in as ${names}, and ${name} was to be linked: sign in as that one and try again, or link this one as an account of its own.`,
  )
}

/** Linking one again does so for the others of its grant, and brings none that is new or was unlinked. */
async function othersKnown(trx: Trx, row: LinkRow, accounts: readonly AccountReading[]): Promise<AccountReading[]> {
  const known = await trx
    .selectFrom('platform_accounts')
    .select('platform_account_id')
    .where('user_id', '=', row.user_id)
    .where('platform_name', '=', row.platform)
    .where('status', '!=', 'disconnected')
    .where('id', '!=', row.expected_account_id)
    .execute()
  return accounts.filter(account => known.some(one => one.platform_account_id === account.creatorId))
}

async function fail({ db }: LinkDeps, row: LinkRow, reason: string): Promise<void> {
  await db.asUser(UserIdSchema.parse(row.user_id), trx =>
    trx
      .updateTable('account_links')
      .set({ status: 'failed', reason: reason.slice(0, 500) })
      .where('id', '=', row.id)
      .where('status', 'in', statusesBefore(linkTransitions, 'failed'))
      .execute(),
  )
}

/** What a person can do something about; null for what is our fault. */
function refusalOf(error: unknown): AppError | null {
  if (error instanceof AppError) return error
  if (!(error instanceof PlatformError)) return null
  const isTheirs = ['server', 'network', 'rate', 'quota'].includes(error.class)
  return new AppError(isTheirs ? 'UNAVAILABLE' : 'BAD_REQUEST', error.message, {
    details: { platform: error.platform, code: error.code },
    cause: error,
  })
}

function returnUrlOf(row: LinkRow, status: 'connected' | 'failed'): string | null {
  if (row.return_url === null) return null
  const url = new URL(row.return_url)
  url.searchParams.set('link_id', row.id)
  url.searchParams.set('platform', row.platform)
  url.searchParams.set('status', status)
  return url.href
}

function authorizationUrlOf(
  { platforms }: LinkDeps,
  row: LinkRow,
  credentials: DeveloperCredentials,
  secret: LinkSecret,
): string {
  const auth = platforms.auth(credentials.kind)
  return auth.authorizationUrl({
    credentials,
    redirectUri: row.redirect_uri,
    ...secret,
  })
}

async function credentialsOfLink(deps: LinkDeps, trx: Trx, row: LinkRow): Promise<DeveloperCredentials> {
  const ownerId = UserIdSchema.parse(row.user_id)
  const { vaultId } = await usableCredentials(trx, ownerId, row.platform, kindOf(row))
  return await readCredentials(deps.vault, trx, { ownerId, vaultId })
}

function kindOf(row: LinkRow): CredentialKind | undefined {
  return credentialKinds.find(kind => kind === row.credentials_kind)
}

/** The user's credentials of a kind; without one, those of the platform that were saved last. */
async function usableCredentials(
  trx: Trx,
  userId: UserId,
  platform: Platform,
  kind: CredentialKind | undefined,
): Promise<{ kind: CredentialKind; vaultId: string }> {
  const rows = await trx
    .selectFrom('developer_credentials')
    .select(['kind', 'vault_id', 'status', 'reason'])
    .where('owner_id', '=', userId)
    .where('platform', '=', platform)
    .orderBy('updated_at', 'desc')
    .execute()
  for (const row of rows) {
    const found = credentialKinds.find(name => name === row.kind && kindFacts[name].redirect !== null)
    if (found === undefined || (kind !== undefined && kind !== found)) continue
    if (row.status === 'invalid') {
      throw new AppError(
        'CONFLICT',
        `The platform refuses your developer credentials (${row.reason ?? 'no reason given'}): save the right ones first.`,
      )
    }
    return { kind: found, vaultId: row.vault_id }
  }
  throw new AppError(
    'CONFLICT',
    `You have no developer credentials${kind ? ` of the kind ${kind}` : ''} for ${platform}: save them first (POST /api/credentials/${platform}).`,
  )
}

async function assertOwn(trx: Trx, userId: UserId, platform: Platform, accountId: string): Promise<void> {
  const row = await trx
    .selectFrom('platform_accounts')
    .select('id')
    .where('id', '=', accountId)
    .where('user_id', '=', userId)
    .where('platform_name', '=', platform)
    .executeTakeFirst()
  if (!row) throw noSuchAccount()
}

/** Forgets the user's links that ended long ago, and the oldest of too many that wait. */
async function makeRoom({ vault, clock }: LinkDeps, trx: Trx, userId: UserId): Promise<void> {
  const before = new Date(clock.nowMs() - keptMs)
  const gone = await trx
    .deleteFrom('account_links')
    .where('user_id', '=', userId)
    .where(eb =>
      eb.or([
        eb('created_at', '<', before),
        eb(
          'id',
          'in',
          eb
            .selectFrom('account_links')
            .select('id')
            .where('user_id', '=', userId)
            .orderBy('created_at', 'desc')
            .orderBy('id')
            .offset(waitingMax - 1),
        ),
      ]),
    )
    .returning('secret_vault_id')
    .execute()
  await removeLinkSecrets(vault, trx, userId, gone)
}

function baseOf({ accounts }: LinkDeps): string {
  const base = accounts.linkBase()
  if (base !== null) return base
  throw new AppError('NOT_CONFIGURED', 'Linking needs PUBLIC_URL: nobody knows where platforms should send browsers.')
}
