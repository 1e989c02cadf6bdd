import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { AppError } from '../contracts/errors.ts'
import { findSandbox } from '../core/clickhouse/sandbox.ts'
import { type Config, parseConfig, readSetting, unneededIn } from '../core/config.ts'
import { homePaths } from '../core/home.ts'
import { type Setting, settings } from '../core/settings.ts'
import { openMediaEngine } from '../media/engine/open-engine.ts'
import { credentialKinds } from '../platforms/port.ts'
import { kindFacts } from '../server/features/credentials/kinds.ts'
import { redirectUriOf } from '../server/features/links/redirect-uris.ts'
import { reachable } from '../server/http/hosts.ts'
import { findServer } from './control-client.ts'
import type { VerbContext } from './verb-context.ts'

/** One thing that was looked at. `fail` means that Cliptape cannot run as configured. */
export interface Finding {
  name: string
  state: 'ok' | 'info' | 'warn' | 'fail'
  /** What was found, as a sentence. Never a secret's value. */
  message: string
  /** What to do about it, or null. */
  fix: string | null
}

const gib = 1024 ** 3
const freeBytesNeeded = gib
const freeBytesComfortable = 5 * gib

/** Looks at this machine and this configuration; changes nothing. */
export async function examine(context: VerbContext): Promise<Finding[]> {
  const config = configOrFinding(context)
  if ('state' in config) return [nodeFinding(), platformFinding(false), config, ...unneeded(context)]
  const isEmbedded = config.stores.profile === 'embedded'
  return [
    nodeFinding(),
    platformFinding(isEmbedded),
    ...(isEmbedded ? [engineFinding(), await sandboxFinding(config)] : []),
    { name: 'profile', state: 'ok', message: profileText(config), fix: null },
    homeFinding(config),
    await diskFinding(config),
    ...(await serverFindings(config)),
    await decoderFinding(config),
    ...(await redirectFindings(config)),
    ...settingFindings(context),
    ...unneeded(context),
  ]
}

function configOrFinding(context: VerbContext): Config | Finding {
  try {
    return parseConfig(context.env, {}, context.cwd)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return {
      name: 'configuration',
      state: 'fail',
      message: error.message,
      fix: 'Mend .env or the environment; docs/env.md lists every setting.',
    }
  }
}

function nodeFinding(): Finding {
  const { node } = process.versions
  return { name: 'Node', state: 'ok', message: `${node} (${process.execPath})`, fix: null }
}

function platformFinding(isEmbedded: boolean): Finding {
  const { platform, arch } = process
  const name = 'platform'
  if (platform === 'win32') {
    return {
      name,
      state: 'fail',
      message: 'Windows has no build of the embedded engine.',
      fix: 'Run Cliptape in WSL2.',
    }
  }
  if (platform !== 'linux') return { name, state: 'ok', message: `${platform} ${arch}`, fix: null }
  const glibc = glibcVersion()
  if (glibc !== null) return { name, state: 'ok', message: `Linux ${arch}, glibc ${glibc}`, fix: null }
  return {
    name,
    state: isEmbedded ? 'fail' : 'warn',
    message: 'This Linux has no glibc (Alpine?); the embedded engine needs it.',
    fix: 'Use a Debian-like system, or a ClickHouse server (CLICKHOUSE_URL, DATABASE_URL, REDIS_URL).',
  }
}

function glibcVersion(): string | null {
  const report: unknown = process.report.getReport()
  if (typeof report !== 'object' || report === null || !('header' in report)) return null
  const { header } = report
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) return null
  return typeof header.glibcVersionRuntime === 'string' ? header.glibcVersionRuntime : null
}

function engineFinding(): Finding {
  try {
    createRequire(import.meta.url).resolve('chdb')
    return { name: 'analytics engine', state: 'ok', message: 'chDB is installed.', fix: null }
  } catch {
    return {
      name: 'analytics engine',
      state: 'fail',
      message: 'chDB is not installed.',
      fix: 'Delete node_modules and start again: npm start installs it.',
    }
  }
}

/** Whether users' SQL runs in a process that is shut in. */
async function sandboxFinding({ engine }: Config): Promise<Finding> {
  const name = 'engine sandbox'
  try {
    if ((await findSandbox({ ...engine, mode: engine.sandbox })) !== null)
      return { name, state: 'ok', message: 'bwrap shuts the analytics engine in.', fix: null }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { name, state: 'fail', message: error.message, fix: null }
  }
  const message = 'Nothing shuts the analytics engine in; its own restrictions and the SQL gate hold all the same.'
  if (engine.sandbox === 'off') return { name, state: 'info', message, fix: 'Set ENGINE_SANDBOX to auto.' }
  return { name, state: 'info', message, fix: 'Install bubblewrap, where the system lets it work.' }
}

function profileText(config: Config): string {
  return config.stores.profile === 'embedded'
    ? 'embedded: both stores live in the home, nothing else is needed.'
    : 'cluster: Postgres, ClickHouse and Redis are configured.'
}

function homeFinding(config: Config): Finding {
  const name = 'home'
  const exists = existsSync(config.home)
  const folder = exists ? config.home : nearestExisting(config.home)
  try {
    accessSync(folder, constants.W_OK)
  } catch {
    return {
      name,
      state: 'fail',
      message: `${config.home} cannot be written.`,
      fix: 'Set CLIPTAPE_HOME to a folder of yours.',
    }
  }
  if (!exists) return { name, state: 'info', message: `${config.home} will be made by the first start.`, fix: null }
  const isPrivate = (statSync(config.home).mode & 0o077) === 0
  if (isPrivate) return { name, state: 'ok', message: config.home, fix: null }
  return {
    name,
    state: 'warn',
    message: `${config.home} can be read by others.`,
    fix: `chmod 700 ${config.home} (the next start does it).`,
  }
}

async function diskFinding(config: Config): Promise<Finding> {
  const { bavail, bsize } = await statfs(nearestExisting(config.home))
  const free = bavail * bsize
  const message = `${(free / gib).toFixed(1)} GiB free where the home lies.`
  if (free < freeBytesNeeded)
    return { name: 'disk', state: 'fail', message, fix: 'Free at least 1 GiB, or move CLIPTAPE_HOME.' }
  if (free < freeBytesComfortable) return { name: 'disk', state: 'warn', message, fix: 'Large imports need more.' }
  return { name: 'disk', state: 'ok', message, fix: null }
}

async function serverFindings(config: Config): Promise<Finding[]> {
  const server = await findServer(homePaths(config.home)).catch(() => null)
  if (server) {
    const { pid, url, version } = server.status
    return [
      {
        name: 'server',
        state: 'ok',
        message: `Process ${pid} (version ${version}) serves ${url ?? 'no address'}.`,
        fix: null,
      },
    ]
  }
  const isFree = await canListen(config.host, config.port)
  const server0: Finding = { name: 'server', state: 'info', message: 'None runs on this home.', fix: null }
  if (isFree)
    return [server0, { name: 'port', state: 'ok', message: `${config.host}:${config.port} is free.`, fix: null }]
  return [
    server0,
    {
      name: 'port',
      state: 'fail',
      message: `${config.host}:${config.port} is in use by another program.`,
      fix: 'Set PORT to another one.',
    },
  ]
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}

/** What would decode media: exact cuts and the analysis of recordings need it. */
async function decoderFinding(config: Config): Promise<Finding> {
  const engine = await openMediaEngine({ ...config.media, log: null })
  await engine?.close()
  if (engine === null)
    return {
      name: 'decoder',
      state: 'warn',
      message: 'Nothing decodes media here: only cuts at keyframes work.',
      fix: 'Install ffmpeg 5.1 or newer, or set FFMPEG_PATH.',
    }
  const what = engine.kind === 'ffmpeg' ? 'the program ffmpeg' : "FFmpeg's libraries in the package node-av, version"
  return { name: 'decoder', state: 'ok', message: `Media is decoded by ${what} ${engine.version}.`, fix: null }
}

/** What has to be registered with each platform, to the letter, before an account can be linked. */
async function redirectFindings(config: Config): Promise<Finding[]> {
  const server = config.publicUrl === null ? await findServer(homePaths(config.home)).catch(() => null) : null
  const host = config.host.includes(':') ? `[${config.host}]` : config.host
  const base = config.publicUrl ?? reachable(server?.status.url ?? `http://${host}:${config.port}`)
  return credentialKinds.flatMap((kind): Finding[] => {
    const { title, redirect } = kindFacts[kind]
    if (redirect === null) return []
    const { uri, comesBack } = redirectUriOf(kind, base.replace(/\/+$/, ''))
    return [
      {
        name: `redirect URI of ${title}`,
        state: 'info',
        message: comesBack ? uri : `${uri} (the browser ends there: paste its address into Cliptape)`,
        fix: null,
      },
    ]
  })
}

function settingFindings(context: VerbContext): Finding[] {
  const all: readonly Setting[] = settings
  const given = all.filter(setting => readSetting(context.env, setting) !== null).map(setting => setting.name)
  const message = given.length === 0 ? 'None is set; the defaults hold.' : `Set: ${given.join(', ')}.`
  return [{ name: 'settings', state: 'info', message, fix: null }]
}

function unneeded(context: VerbContext): Finding[] {
  return unneededIn(context.env).map(({ name, reason }) => ({
    name,
    state: 'info',
    message: `Cliptape does not need it. ${reason}`,
    fix: 'It may be removed from this environment.',
  }))
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path))
}
