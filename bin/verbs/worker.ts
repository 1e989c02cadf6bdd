import { type Command, InvalidArgumentError } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { addListenOptions, type ListenOptions } from '../listen-options.ts'
import { isRole, type Role, roles } from '../role.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

export function addWorker(program: Command, context: VerbContext): void {
  addListenOptions(
    program
      .command('worker')
      .description('Run some roles in the cluster profile (DATABASE_URL, CLICKHOUSE_URL, REDIS_URL).')
      .requiredOption('--roles <list>', `Roles, separated by commas: ${roles.join(', ')}.`, parseRoles),
  ).action(async (options: ListenOptions & { roles: Role[] }) => {
    if (configOf(context).stores.profile !== 'cluster') {
      throw new AppError(
        'NOT_CONFIGURED',
        'Workers share their stores, so they need DATABASE_URL, CLICKHOUSE_URL and REDIS_URL; without them use `cliptape serve`.',
      )
    }
    const { runServe } = await import('../run-serve.ts')
    await runServe(context, { flags: options, roles: options.roles })
  })
}

function parseRoles(text: string): Role[] {
  return text.split(',').map(part => {
    const name = part.trim()
    if (isRole(name)) return name
    throw new InvalidArgumentError(`There is no role "${name}": choose from ${roles.join(', ')}.`)
  })
}
