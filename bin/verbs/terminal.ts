import { join } from 'node:path'
import type { Command } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { environmentWithoutSecrets, terminalVariables } from '../../core/config.ts'
import { homePaths } from '../../core/home.ts'
import { watchProcessEnd } from '../../core/lifecycle.ts'
import type { TokenSource } from '../../terminal/net/access-token.ts'
import type { Account } from '../../terminal/net/account.ts'
import { findServer } from '../control-client.ts'
import type { TerminalView } from '../terminal-host.ts'
import { addViewOptions, type ViewOptions, viewOf } from '../terminal-view.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

/** Which server is meant, where it is not the one of this home. */
export interface ServerOptions {
  url?: string
  token?: string
}

/** Where to, and as whom: the account is there where a person signs in. */
interface Destination {
  /** The home or the server, by one name for each. */
  place: string
  url: string
  token: TokenSource
  account?: Account
}

export function addTerminal(program: Command, context: VerbContext): void {
  const verb = program
    .command('terminal')
    .description('Open the terminal on the server that runs on this home, or sign in to another one.')
  addServerOptions(addViewOptions(verb)).action((words: string[], options: ServerOptions & ViewOptions) =>
    openOn(context, options, viewOf(words, options)),
  )
}

/** Adds the flags that name another server. */
export function addServerOptions(verb: Command): Command {
  return verb
    .option(
      '--url <url>',
      'Address of another server, e.g. https://clips.example.com: the terminal asks you to sign in.',
    )
    .option(
      '--token <token>',
      'An access token instead (`cliptape token` on its machine prints one); others see it in the process list.',
    )
}

/** Opens the terminal on a server until it is left. */
export async function openOn(context: VerbContext, options: ServerOptions, view: TerminalView): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new AppError('BAD_REQUEST', 'There is no terminal here: run this in one, without pipes.')
  }
  const destination = await whereTo(context, options)
  const [{ endWithTerminal, openLocalTerminal, restoreLocalTerminal }, { systemBrowser }] = await Promise.all([
    import('../terminal-host.ts'),
    import('../system-browser.ts'),
  ])
  const end = watchProcessEnd({ log: () => null, restoreTerminal: restoreLocalTerminal })
  endWithTerminal(end)
  const variables = terminalVariables(context.env)
  const browser = systemBrowser({ ...variables, env: environmentWithoutSecrets(context.env) })
  const terminal = await openLocalTerminal({
    ...destination,
    variables,
    openBrowser: browser.open,
    view,
    cwd: context.cwd,
  })
  const reason = await Promise.race([end.requested, terminal.done.then(done => done.reason)])
  await terminal.close()
  if (reason === 'lost' || reason === 'error') context.exitCode = 1
}

/**
 * The server that is meant.
 * @throws AppError UNAVAILABLE when none is named and none runs on this home
 */
export async function whereTo(context: VerbContext, options: ServerOptions): Promise<Destination> {
  const { url: givenUrl, token: givenToken } = options
  const given = givenUrl === undefined ? null : parseAddress(givenUrl)
  if (given !== null && givenToken !== undefined)
    return { place: given.origin, url: given.href, token: async () => givenToken }
  const config = configOf(context)
  const server = await findServer(homePaths(config.home))
  const localUrl = server?.status.url ?? null
  // The owner's token is for the server of this home alone, whatever address was typed.
  const isLocal = given === null || (localUrl !== null && isSameServer(new URL(localUrl), given))
  if (!isLocal) return await signingIn(context, given)
  if (server === null || localUrl === null) {
    throw new AppError(
      'UNAVAILABLE',
      `No server runs on ${config.home}: start one with npm start, or name one with --url.`,
    )
  }
  return {
    place: config.home,
    url: localUrl,
    token: givenToken === undefined ? () => server.token() : async () => givenToken,
  }
}

async function signingIn(context: VerbContext, server: URL): Promise<Destination> {
  const [{ createAccount }, { createSessionStore, openKeychain }, { systemBrowser }] = await Promise.all([
    import('../../terminal/net/account.ts'),
    import('../session-store.ts'),
    import('../system-browser.ts'),
  ])
  const { preferencesFolder, hasBrowser } = terminalVariables(context.env)
  // A server under a path is another one than its neighbour under the same host.
  const name = `${server.origin}${server.pathname.replace(/\/$/, '')}`
  const store = createSessionStore({
    folder: join(preferencesFolder, 'sessions'),
    server: name,
    keychain: await openKeychain(name),
  })
  const account = createAccount({
    url: server.href,
    store,
    browser: systemBrowser({ hasBrowser, env: environmentWithoutSecrets(context.env) }),
  })
  return { place: name, url: server.href, token: account.token, account }
}

/** One server has several names on its own machine. */
function isSameServer(local: URL, given: URL): boolean {
  const isHere = ({ hostname }: URL) => /^(localhost|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\])$/.test(hostname)
  const isHttp = given.protocol === 'http:' || given.protocol === 'ws:'
  return isHttp && local.port === given.port && (local.hostname === given.hostname || (isHere(local) && isHere(given)))
}

function parseAddress(text: string): URL {
  const address = URL.canParse(text) ? new URL(text) : null
  if (address !== null && /^(https?|wss?):$/.test(address.protocol)) return address
  throw new AppError('BAD_REQUEST', `${text} is no address of a server: write it like https://clips.example.com.`)
}
