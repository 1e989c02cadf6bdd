import { type Command, InvalidArgumentError } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

interface TokenOptions {
  hours?: number
  json?: boolean
}

export function addToken(program: Command, context: VerbContext): void {
  program
    .command('token')
    .description('Print an access token of the local owner, for scripts (Authorization: Bearer …).')
    .option('--hours <number>', 'How long it is good, at most 24; a quarter of an hour otherwise.', parseHours)
    .option('--json', 'Print one JSON object.')
    .action(async (options: TokenOptions) => {
      const config = configOf(context)
      const server = await findServer(homePaths(config.home))
      if (server === null) {
        throw new AppError('UNAVAILABLE', `No server runs on ${config.home}, which could make a token: start it first.`)
      }
      const token = await server.token(options.hours)
      context.out(options.json ? JSON.stringify({ token }) : token)
    })
}

function parseHours(text: string): number {
  const hours = Number(text)
  if (text.trim() !== '' && hours > 0 && hours <= 24) return hours
  throw new InvalidArgumentError('It must be a number of hours above 0, at most 24.')
}
