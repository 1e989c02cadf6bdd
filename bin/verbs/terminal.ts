import type { Command } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { terminalVariables } from '../../core/config.ts'
import { homePaths } from '../../core/home.ts'
import { watchProcessEnd } from '../../core/lifecycle.ts'
import { findServer } from '../control-client.ts'
import { addViewOptions, type ViewOptions, viewOf } from '../terminal-view.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

interface TerminalOptions extends ViewOptions {
  url?: string
  token?: string
}

export function addTerminal(program: Command, context: VerbContext): void {
  const verb = program
    .command('terminal')
    .description('Open the terminal on the server that runs on this home, or on another one.')
  addViewOptions(verb)
    .option('--url <url>', 'Address of a server, e.g. http://127.0.0.1:4400.')
    .option('--token <token>', 'Access token for it (`cliptape token` on its machine prints one).')
    .action(async (words: string[], options: TerminalOptions) => {
      if (!process.stdin.isTTY || !process.stdout.isTTY) {
        throw new AppError('BAD_REQUEST', 'There is no terminal here: run this in one, without pipes.')
      }
      const { url, token } = await whereTo(context, options)
      const { openLocalTerminal, restoreLocalTerminal } = await import('../terminal-host.ts')
      const end = watchProcessEnd({ log: () => null, restoreTerminal: restoreLocalTerminal })
      const terminal = await openLocalTerminal({
        url,
        token,
        variables: terminalVariables(context.env),
        view: viewOf(words, options),
        cwd: context.cwd,
      })
      const reason = await Promise.race([end.requested, terminal.done.then(done => done.reason)])
      await terminal.close()
      if (reason === 'lost' || reason === 'error') context.exitCode = 1
    })
}

async function whereTo(
  context: VerbContext,
  options: TerminalOptions,
): Promise<{ url: string; token: () => Promise<string> }> {
  const { url: givenUrl, token: givenToken } = options
  if (givenUrl !== undefined && givenToken !== undefined) return { url: givenUrl, token: async () => givenToken }
  const config = configOf(context)
  const server = await findServer(homePaths(config.home))
  const url = options.url ?? server?.status.url ?? null
  if (server === null || url === null) {
    throw new AppError(
      'UNAVAILABLE',
      options.url === undefined
        ? `No server runs on ${config.home}: start one with npm start, or name one with --url and --token.`
        : 'Name the access token as well: --token.',
    )
  }
  return { url, token: givenToken === undefined ? () => server.token() : async () => givenToken }
}
