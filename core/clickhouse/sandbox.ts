import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../../contracts/errors.ts'

/** Whether the engine's process is shut in by `bwrap` (bubblewrap): where it can be, always, never. */
export const sandboxModes = ['auto', 'on', 'off'] as const
export type SandboxMode = (typeof sandboxModes)[number]

/** The command before the engine's own. It sees its data and our code, no other file, no network, no other process. */
export interface Sandbox {
  readonly path: string
}

const probeMsMax = 5_000
const here = dirname(fileURLToPath(import.meta.url))
/** Of the system: what a dynamically linked program is made of, and how much memory it may have. */
const systemFolders = [
  '/sys/fs/cgroup',
  '/usr',
  '/lib',
  '/lib64',
  '/lib32',
  '/bin',
  '/etc/ld.so.cache',
  '/etc/alternatives',
]

/**
 * Finds out whether processes can be shut in here, by doing it once.
 *
 * @param o.searchPath as `PATH` has it
 * @returns null where they cannot, or need not be
 * @throws AppError NOT_CONFIGURED when they must be and cannot
 */
export async function findSandbox(o: { mode: SandboxMode; searchPath: string }): Promise<Sandbox | null> {
  if (o.mode === 'off') return null
  const path = process.platform === 'linux' ? programOn(o.searchPath, 'bwrap') : null
  if (path !== null && (await works({ path }))) return { path }
  if (o.mode === 'auto') return null
  const reason = path === null ? 'bwrap (bubblewrap) is not installed' : 'this system does not let bwrap work'
  throw new AppError('NOT_CONFIGURED', `ENGINE_SANDBOX is on, but ${reason}: mend that, or set ENGINE_SANDBOX to auto.`)
}

/**
 * The whole command line of a process that is shut in.
 *
 * @param o.writable folders that it may write, absolute; they exist
 * @param o.command the program and its arguments
 */
export function shutIn(
  { path }: Sandbox,
  o: { writable: readonly string[]; hasNetwork: boolean; command: readonly string[] },
): { file: string; args: string[] } {
  const bind = (option: string, folder: string) => [option, folder, folder]
  const isolation = [
    '--unshare-all',
    ...(o.hasNetwork ? ['--share-net'] : []),
    '--die-with-parent',
    '--cap-drop',
    'ALL',
  ]
  const args = [
    ...isolation,
    ...['--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
    ...[...systemFolders, dirname(process.execPath), ...codeFolders()].flatMap(folder => bind('--ro-bind-try', folder)),
    ...o.writable.flatMap(folder => bind('--bind', folder)),
    ...['--chdir', '/', '--', ...o.command],
  ]
  return { file: path, args }
}

/** Our own code, as sources or as a bundle, and the packages that it finds from there; nothing else of the folder. */
function codeFolders(): string[] {
  const parents: string[] = []
  for (let folder = here; dirname(folder) !== folder; folder = dirname(folder)) parents.push(folder)
  const packages = parents.map(folder => join(folder, 'node_modules')).filter(folder => existsSync(folder))
  const root = packages[0] === undefined ? here : dirname(packages[0])
  const own = ['core', 'contracts', 'dist', 'package.json'].map(name => join(root, name))
  return [...new Set([here, ...own, ...packages])]
}

function programOn(searchPath: string, name: string): string | null {
  const folders = searchPath.split(delimiter).filter(isAbsolute)
  return folders.map(folder => join(folder, name)).find(path => existsSync(path)) ?? null
}

function works(sandbox: Sandbox): Promise<boolean> {
  const { file, args } = shutIn(sandbox, { writable: [], hasNetwork: false, command: [process.execPath, '--version'] })
  return new Promise(resolve => {
    execFile(file, args, { env: {}, timeout: probeMsMax }, error => resolve(error === null))
  })
}
