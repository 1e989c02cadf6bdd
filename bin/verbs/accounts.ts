import { Argument, type Command, Option } from 'commander'
import { EmailSchema, type GivenRole, GivenRoleSchema, type User } from '../../contracts/accounts.ts'
import { AppError } from '../../contracts/errors.ts'
import { homePaths } from '../../core/home.ts'
import { type ControlClient, findServer } from '../control-client.ts'
import { renderTable } from '../render-table.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

interface JsonOption {
  json?: boolean
}

export function addAccounts(program: Command, context: VerbContext): void {
  const accounts = program
    .command('accounts')
    .description('People who have an account on this server; for its operator.')
  const email = (text: string) => {
    const parsed = EmailSchema.safeParse(text.trim())
    if (parsed.success) return parsed.data
    throw new AppError('BAD_REQUEST', `${text} is not an e-mail address.`)
  }
  accounts
    .command('list')
    .description('Everybody, oldest first.')
    .option('--json', 'Print one JSON object.')
    .action(async (options: JsonOption) => {
      const data = await (await serverOf(context)).accounts.list()
      context.out(options.json ? JSON.stringify({ data }) : table(data))
    })
  accounts
    .command('add')
    .description('Make an account, also where REGISTRATION is closed, and print the link that sets its password.')
    .argument('<email>', "the person's address")
    .addOption(new Option('--role <role>', 'What the person may do.').choices(GivenRoleSchema.options).default('user'))
    .option('--json', 'Print one JSON object.')
    .action(async (address: string, options: JsonOption & { role: GivenRole }) => {
      const link = await (await serverOf(context)).accounts.add(email(address), options.role)
      printLink(context, link, options)
    })
  accounts
    .command('link')
    .description('Print another link to set a password, where no mail is sent.')
    .argument('<email>', "the person's address")
    .option('--json', 'Print one JSON object.')
    .action(async (address: string, options: JsonOption) => {
      printLink(context, await (await serverOf(context)).accounts.link(email(address)), options)
    })
  accounts
    .command('role')
    .description('Make somebody an admin, or an ordinary user again.')
    .argument('<email>', "the person's address")
    .addArgument(new Argument('<role>', 'the role').choices(GivenRoleSchema.options))
    .action(async (address: string, role: GivenRole) => {
      await (await serverOf(context)).accounts.setRole(email(address), role)
      context.out(`${address} is now: ${role}.`)
    })
  for (const verb of accounts.commands) verb.exitOverride()
}

async function serverOf(context: VerbContext): Promise<ControlClient> {
  const { home } = configOf(context)
  const server = await findServer(homePaths(home))
  if (server) return server
  throw new AppError(
    'UNAVAILABLE',
    `No server runs on ${home}: start it first, accounts are those of a running server.`,
  )
}

function printLink(context: VerbContext, link: string, options: JsonOption): void {
  if (!options.json) context.note('Hand this link over; it is good for an hour and one use:')
  context.out(options.json ? JSON.stringify({ link }) : link)
}

function table(users: readonly User[]): string {
  const names = ['email', 'role', 'plan', 'verified', 'since', 'id']
  return renderTable({
    columns: names.map(name => ({ name, type: 'String' })),
    rows: users.map(user => [
      user.email ?? '(the owner of this home)',
      user.role,
      user.subscription_level,
      user.emailVerified ? 'yes' : 'no',
      user.createdAt.slice(0, 10),
      user.id,
    ]),
  })
}
