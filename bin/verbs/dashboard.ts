import { readFile, writeFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type BoardSummary, boardFileCharsMax } from '../../contracts/dashboards.ts'
import { AppError } from '../../contracts/errors.ts'
import { type Visibility, visibilities } from '../../contracts/queries.ts'
import { homePaths } from '../../core/home.ts'
import type { ThemeName } from '../../terminal/theme/themes.ts'
import { findServer } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import type { OwnerBoards } from '../owner-boards.ts'
import { renderTable } from '../render-table.ts'
import { addThemeOption } from '../terminal-view.ts'
import { configOf, type VerbContext } from '../verb-context.ts'
import { addServerOptions, type ServerOptions, whereTo } from './terminal.ts'

export function addDashboard(program: Command, context: VerbContext): void {
  const verb = program.command('dashboard').description('Boards of the local owner, as files and as pictures.')
  addList(verb, context)
  addExport(verb, context)
  addImportOf(verb, context)
  addSnapshot(verb, context)
  for (const one of verb.commands) one.exitOverride()
}

function addList(verb: Command, context: VerbContext): void {
  verb
    .command('list')
    .description('Your boards, those that others made public, and those that come with Cliptape.')
    .option('--json', 'Print one JSON object.')
    .action(async (options: { json?: boolean }) => {
      const data = await withBoards(context, boards => boards.list())
      context.out(options.json ? JSON.stringify({ data }) : table(data))
    })
}

function addExport(verb: Command, context: VerbContext): void {
  verb
    .command('export')
    .description('Write the file of a board, with the comments of its author.')
    .argument('<board>', 'its name or id, as `cliptape dashboard list` shows them')
    .option('--out <file>', 'A new file instead of the output.')
    .action(async (meant: string, options: { out?: string }) => {
      const file = await withBoards(context, async boards => boards.file(await idOf(boards, meant)))
      if (options.out === undefined) context.out(file.trimEnd())
      else await writeNew(context, options.out, file)
    })
}

interface ImportOptions {
  replace?: boolean
  visibility?: Visibility
  json?: boolean
}

function addImportOf(verb: Command, context: VerbContext): void {
  verb
    .command('import')
    .description('Save a board from a file. What is wrong with it is said with line and column.')
    .argument('<file>', 'a YAML file, as docs/dashboards.md describes it; - reads the input')
    .option('--replace', 'Replace the board of yours that has the same name.')
    .addOption(
      new Option('--visibility <who>', 'Who may see it; of a new one you alone unless told.').choices(visibilities),
    )
    .option('--json', 'Print one JSON object.')
    .action(async (path: string, options: ImportOptions) => {
      const file = await readBoardText(context, path)
      const saved = await withBoards(context, boards => save(boards, file, options)).catch((error: unknown) => {
        // The error tells of the first problem.
        for (const problem of otherProblems(error)) context.note(problem)
        throw error
      })
      const { id, visibility, version, board } = saved
      if (options.json) context.out(JSON.stringify({ id, name: board.name, visibility, version }))
      else context.out(`${board.name}, version ${version}, ${visibility}: ${id}`)
    })
}

/** Without `--replace` there may be no board of that name yet: importing twice would make two. */
async function save(boards: OwnerBoards, file: string, { replace, visibility }: ImportOptions) {
  const { readBoardFile } = await import('../../server/features/dashboards/board-file.ts')
  const { name } = readBoardFile(file)
  const same = (await boards.list()).find(board => board.isOwn && board.name === name)
  if (same === undefined) return await boards.create({ file, visibility: visibility ?? 'private' })
  if (!replace)
    throw new AppError('CONFLICT', `You have a board called ${name} already: --replace puts this one in its place.`)
  return await boards.replace(same.id, visibility === undefined ? { file } : { file, visibility })
}

function otherProblems(error: unknown): string[] {
  const problems = error instanceof AppError ? error.details.problems : undefined
  return Array.isArray(problems) ? problems.slice(1).map(String) : []
}

interface SnapshotOptions extends ServerOptions {
  out: string
  size: { columns: number; rows: number }
  set: string[]
  wait: number
  theme?: ThemeName
}

function addSnapshot(verb: Command, context: VerbContext): void {
  const snapshot = verb
    .command('snapshot')
    .description('Draw a board as it is now, as SVG or PNG. A server must run.')
    .argument('<board>', 'its name or id')
    .requiredOption('--out <file>', 'A new file that ends in .svg or .png.')
    .option('--size <columns>x<rows>', 'How large, in cells of text.', parseSize, { columns: 160, rows: 48 })
    .option('--set <name=value>', 'A value for a variable of the board; may be repeated.', addValue, [])
    .option('--wait <seconds>', 'How long rows are waited for.', parseSeconds, 30)
  addServerOptions(addThemeOption(snapshot)).action(async (meant: string, options: SnapshotOptions) => {
    const { out, size, set, wait, theme = 'amber' } = options
    const kind = extname(out).toLowerCase()
    if (kind !== '.svg' && kind !== '.png') throw new AppError('BAD_REQUEST', 'The file must end in .svg or .png.')
    const [{ drawPicture }, destination] = await Promise.all([
      import('../../terminal/draw-picture.ts'),
      whereTo(context, options),
    ])
    const values = set.length === 0 ? '' : ` "SET=${set.join(';')}"`
    const command = `BOARD ${meant}${values}`
    const drawn = await drawPicture({ ...destination, command, size, theme, waitMs: wait * 1000 })
    if (drawn.picture === null) throw new AppError('UNAVAILABLE', drawn.reason)
    const { svg } = drawn.picture
    await writeNew(context, out, kind === '.svg' ? svg : await (await import('../render-png.ts')).renderPng(svg))
    if (drawn.isWhole) return
    context.note('Not everything had come when the time was over; --wait gives it more.')
    context.exitCode = 1
  })
}

/** Through the server that runs on the home, else on the home itself. */
async function withBoards<T>(context: VerbContext, work: (boards: OwnerBoards) => Promise<T>): Promise<T> {
  const config = configOf(context)
  const server = await findServer(homePaths(config.home))
  const { boardsOfHome, boardsOfServer } = await import('../owner-boards.ts')
  if (server === null) return await withLocalStores(context, async stores => work(await boardsOfHome(stores)))
  const { url } = server.status
  if (url === null)
    throw new AppError('UNAVAILABLE', `The server on ${config.home} has no address of its own: start it with HTTP.`)
  return await work(boardsOfServer({ url, token: await server.token() }))
}

async function idOf(boards: OwnerBoards, meant: string): Promise<string> {
  const { findBoardId } = await import('../../terminal/screens/board-resources.ts')
  const id = findBoardId(meant, await boards.list())
  if (id !== null) return id
  throw new AppError('NOT_FOUND', `There is no board ${meant}: \`cliptape dashboard list\` shows them.`)
}

async function readBoardText(context: VerbContext, path: string): Promise<string> {
  if (path === '-') {
    const { text } = await import('node:stream/consumers')
    return await text(process.stdin)
  }
  const file = await readFile(resolve(context.cwd, path), 'utf8').catch((cause: unknown) => {
    throw new AppError('BAD_REQUEST', `The file ${path} cannot be read.`, { cause })
  })
  if (file.length <= boardFileCharsMax) return file
  throw new AppError('BAD_REQUEST', `The file ${path} is longer than ${boardFileCharsMax} characters.`)
}

async function writeNew(context: VerbContext, path: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(resolve(context.cwd, path), content, { flag: 'wx' })
  } catch (cause) {
    const isThere = cause instanceof Error && 'code' in cause && cause.code === 'EEXIST'
    throw new AppError('CONFLICT', `The file ${path} ${isThere ? 'is there already' : 'cannot be written'}.`, { cause })
  }
  context.note(`Saved ${path}`)
}

function parseSize(text: string): { columns: number; rows: number } {
  const [, columns, rows] = (/^(\d{2,3})x(\d{2,3})$/.exec(text) ?? []).map(Number)
  if (columns !== undefined && rows !== undefined && columns >= 60 && rows >= 15) return { columns, rows }
  throw new InvalidArgumentError('It must be columns x rows from 60x15 to 999x999, like 160x48.')
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= 600) return seconds
  throw new InvalidArgumentError('It must be a number of seconds above 0, at most 600.')
}

function addValue(text: string, values: string[]): string[] {
  if (/^[a-z][\w-]*=[^;"]*$/.test(text)) return [...values, text]
  throw new InvalidArgumentError('It must have the form name=value, without ; and quotes.')
}

function table(boards: readonly BoardSummary[]): string {
  const names = ['name', 'id', 'seen by', 'panels', 'changed', 'about']
  return renderTable({
    columns: names.map(name => ({ name, type: 'String' })),
    rows: boards.map(board => [
      board.name,
      board.id,
      board.visibility === 'builtIn' ? 'built in' : board.isOwn ? board.visibility : 'public, of others',
      String(board.panelCount),
      board.updatedAt?.slice(0, 16).replace('T', ' ') ?? '',
      board.description,
    ]),
  })
}
