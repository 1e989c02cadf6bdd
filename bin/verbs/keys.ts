import { type Command, InvalidArgumentError, Option } from 'commander'
import { type ApiKey, type ApiKeyRequest, type Scope, scopes } from '../../contracts/api-keys.ts'
import { AppError } from '../../contracts/errors.ts'
import { systemClock } from '../../core/clock.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import type { OwnerKeys } from '../owner-keys.ts'
import { renderTable } from '../render-table.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

const dayMs = 86_400_000

interface CreateOptions {
  scope: Scope[]
  days?: number
  json?: boolean
}

export function addKeys(program: Command, context: VerbContext): void {
  const keys = program.command('keys').description('API keys of the local owner, for programs (X-API-Key: …).')
  keys
    .command('list')
    .description('The keys with their scopes and when they were used; the keys themselves are kept nowhere.')
    .option('--json', 'Print one JSON object.')
    .action(async (options: { json?: boolean }) => {
      const data = await withKeys(context, desk => desk.list())
      context.out(options.json ? JSON.stringify({ data }) : table(data))
    })
  keys
    .command('create')
    .description('Make a key and print it, this once.')
    .argument('<name>', 'what it is for')
    .addOption(
      new Option('--scope <scope...>', 'What it may do; several may be named.').choices(scopes).makeOptionMandatory(),
    )
    .option('--days <number>', 'When it ends, in days from now; without it the key has no end.', parseDays)
    .option('--json', 'Print one JSON object, with the key in it.')
    .action(async (name: string, options: CreateOptions) => {
      const made = await withKeys(context, desk => desk.create(requestOf(name, options)))
      if (options.json) {
        context.out(JSON.stringify(made))
        return
      }
      context.note(`Key ${made.id} (${made.scopes.join(' ')}). It is shown this once:`)
      context.out(made.key)
    })
  keys
    .command('revoke')
    .description('End a key for good, on every node within a second.')
    .argument('<key>', 'its id or its prefix, as `cliptape keys list` shows them')
    .option('--json', 'Print one JSON object.')
    .action(async (named: string, options: { json?: boolean }) => {
      const key = await withKeys(context, async desk => {
        const found = (await desk.list()).find(one => one.id === named || one.prefix === named)
        if (!found) throw new AppError('NOT_FOUND', `There is no key ${named}: \`cliptape keys list\` shows them.`)
        await desk.revoke(found.id)
        return found
      })
      context.out(options.json ? JSON.stringify({ id: key.id }) : `The key ${key.prefix} (${key.name}) is revoked.`)
    })
  for (const verb of keys.commands) verb.exitOverride()
}

/** Through the server that runs on the home, else on the home itself. */
async function withKeys<T>(context: VerbContext, work: (keys: OwnerKeys) => Promise<T>): Promise<T> {
  const server = await findServer(homePaths(configOf(context).home))
  if (server) return await work(server.keys)
  return await withLocalStores(context, async (stores, { log }) => {
    const { ownerKeys } = await import('../owner-keys.ts')
    return await work(ownerKeys(stores, log))
  })
}

function requestOf(name: string, { scope, days }: CreateOptions): ApiKeyRequest {
  const named = name.trim()
  if (named === '' || named.length > 80) throw new AppError('BAD_REQUEST', 'The name must have 1 to 80 characters.')
  if (days === undefined) return { name: named, scopes: scope }
  return { name: named, scopes: scope, expiresAt: new Date(systemClock.nowMs() + days * dayMs).toISOString() }
}

function parseDays(text: string): number {
  const days = Number(text)
  if (text.trim() !== '' && days > 0 && days <= 3660) return days
  throw new InvalidArgumentError('It must be a number of days above 0, at most 3660.')
}

function table(keys: readonly ApiKey[]): string {
  const names = ['name', 'prefix', 'scopes', 'state', 'created', 'last used', 'expires', 'id']
  return renderTable({
    columns: names.map(name => ({ name, type: 'String' })),
    rows: keys.map(key => [
      key.name,
      key.prefix,
      key.scopes.join(' '),
      stateOf(key),
      dayOf(key.createdAt),
      key.lastUsedAt === null ? 'never' : key.lastUsedAt.slice(0, 16).replace('T', ' '),
      key.expiresAt === null ? 'never' : dayOf(key.expiresAt),
      key.id,
    ]),
  })
}

function stateOf(key: ApiKey): string {
  if (key.revokedAt !== null) return 'revoked'
  return key.expiresAt !== null && Date.parse(key.expiresAt) <= systemClock.nowMs() ? 'expired' : 'good'
}

function dayOf(instant: string): string {
  return instant.slice(0, 10)
}
