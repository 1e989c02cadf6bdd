import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { z } from 'zod'
import { AppError } from '../contracts/errors.ts'
import { type SandboxMode, sandboxModes } from './clickhouse/sandbox.ts'
import { type Setting, type SettingName, settings, unneededSettings } from './settings.ts'

/** Variables as they came: from the process, with `.env` of the working folder beneath them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What flags of a verb override; the command line has checked them. */
export interface ConfigFlags {
  home?: string | undefined
  host?: string | undefined
  port?: string | undefined
}

/**
 * Everything that a user may set, checked and frozen. Optional features are unions, so half a configuration cannot start.
 * Secrets are null in the embedded profile when unset: `core/home.ts` makes them.
 */
export type Config = Readonly<{
  /** Absolute path. */
  home: string
  host: string
  port: number
  sshPort: number
  publicUrl: string | null
  trustProxyHops: number
  /** Requests a minute of one API key whose owner's plan has no limit. */
  externalApiRateLimit: number
  corsOrigins: readonly string[]
  logLevel: LogLevel
  stores: { profile: 'embedded' } | { profile: 'cluster'; databaseUrl: string; clickhouseUrl: string; redisUrl: string }
  /** Of the embedded profile. `searchPath` is where programs are looked for, as `PATH` has it. */
  engine: Readonly<{ sandbox: SandboxMode; searchPath: string }>
  blobs: { kind: 'directory' } | { kind: 's3'; url: string }
  secrets: Readonly<Record<'JWT_SECRET' | 'VAULT_KEY' | 'AGENT_API_KEY', string | null>>
  vault: { store: 'own'; previousKeys: readonly string[] } | { store: 'supabase' }
  /** Origins inside the operator's network that webhooks may reach. */
  webhookOrigins: readonly string[]
  supabase:
    | { supabase: 'off' }
    | {
        supabase: 'on'
        url: string
        anonKey: string | null
        serviceRoleKey: string | null
        jwtSecret: string | null
      }
  billing: { billing: 'off' } | { billing: 'stripe'; secretKey: string; webhookSecret: string }
  google:
    | { google: 'off' }
    | { google: 'on'; clientId: string; clientSecret: string; oauthUrl: string; certsUrl: string }
  /** The operator's key for what is public on YouTube. */
  youtubeApiKey: string | null
  /** YouTube's terms for derived metrics are accepted for it. */
  isYoutubeAmended: boolean
  /** Charts of YouTube that are read: `US`, `US/20`, or `US/*` for one of each category. */
  youtubeCharts: readonly string[]
  /** Where the platforms are, without a slash at the end; the form that the room platforms asks for. */
  platformUrls: Readonly<
    Record<
      | 'googleAuthorize'
      | 'googleToken'
      | 'youtubeData'
      | 'youtubeAnalytics'
      | 'tiktokAuthorize'
      | 'tiktokApi'
      | 'instagramAuthorize'
      | 'instagramToken'
      | 'instagramGraph'
      | 'facebookAuthorize'
      | 'facebookGraph'
      | 'graphVersion',
      string
    >
  >
  media: Readonly<{
    /** A program's name to look for on `searchPath`, or its path. */
    ffmpegPath: string
    /** The PATH of this process. */
    searchPath: string
    /** Absolute paths of folders. */
    roots: readonly string[]
    /** For copies of media that lies elsewhere, in GiB. */
    workGib: number
  }>
  /** Whether anybody may make an account. */
  registration: 'open' | 'closed'
  mail: { mail: 'off' } | { mail: 'smtp'; url: string; from: string }
}>

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
type LogLevel = (typeof logLevels)[number]

/** What a reader of examples leaves standing. A secret that looks like one of these is no secret. */
const placeholder = /^(change-?me.*|your[-_].*|xxx+|todo|secret|password|example|<.*>|\.\.\.)$/i

/**
 * The environment of this process over the `.env` of a folder. The only place that reads `process.env`.
 * @throws AppError BAD_REQUEST when `.env` is there and cannot be read
 */
export function readEnvironment(folder: string): Environment {
  const path = join(folder, '.env')
  if (!existsSync(path)) return { ...process.env }
  try {
    return { ...parseEnv(readFileSync(path, 'utf8')), ...process.env }
  } catch (cause) {
    throw new AppError('BAD_REQUEST', `The file ${path} cannot be read: mend its permissions or remove it.`, { cause })
  }
}

/**
 * Checks every setting and says all that is wrong at once.
 * @param cwd the folder that relative paths start from
 * @throws AppError BAD_REQUEST with a sentence per mistake, never with a secret's value
 */
export function parseConfig(env: Environment, flags: ConfigFlags = {}, cwd = process.cwd()): Config {
  const mistakes: string[] = []
  for (const setting of settings) {
    const raw = readSetting(env, setting)
    const mistake = raw === null ? null : mistakeIn(setting, raw)
    if (mistake !== null) mistakes.push(`${setting.name} ${mistake}`)
  }
  const get = (name: SettingName): string | null => {
    const setting = settingOf(name)
    const raw = readSetting(env, setting)
    return raw !== null && mistakeIn(setting, raw) === null ? raw : setting.default
  }
  const number = (name: SettingName): number => Number(get(name) ?? 0)
  const base = (name: SettingName): string => (get(name) ?? '').replace(/\/+$/, '')
  const list = (name: SettingName, separator: string): string[] =>
    (get(name) ?? '')
      .split(separator)
      .map(part => part.trim())
      .filter(part => part !== '')
  /** All of a group of settings, none of them, or a mistake. */
  const together = (names: readonly SettingName[]): string[] | null => {
    const values = names.map(get)
    const given = values.filter(value => value !== null)
    if (given.length === names.length) return given
    const absent = names.filter((_, index) => values[index] === null)
    if (given.length > 0)
      mistakes.push(
        `${absent.join(' and ')} must be set too, because ${names.filter(name => !absent.includes(name)).join(' and ')} is`,
      )
    return null
  }

  const stores = ((): Config['stores'] => {
    const urls = together(['DATABASE_URL', 'CLICKHOUSE_URL', 'REDIS_URL'])
    const [databaseUrl, clickhouseUrl, redisUrl] = urls ?? []
    if (!databaseUrl || !clickhouseUrl || !redisUrl) return { profile: 'embedded' }
    return { profile: 'cluster', databaseUrl, clickhouseUrl, redisUrl }
  })()
  const secrets = { JWT_SECRET: get('JWT_SECRET'), VAULT_KEY: get('VAULT_KEY'), AGENT_API_KEY: get('AGENT_API_KEY') }
  for (const [name, value] of Object.entries(secrets)) {
    if (value === null && stores.profile === 'cluster') mistakes.push(`${name} must be set in the cluster profile`)
  }
  const vaultStore = get('VAULT_STORE')
  if (vaultStore === 'supabase' && stores.profile !== 'cluster')
    mistakes.push('VAULT_STORE can be supabase in the cluster profile only')
  const webhookOrigins = list('WEBHOOK_ORIGINS', ',')
  if (!webhookOrigins.every(isOrigin)) mistakes.push('WEBHOOK_ORIGINS must hold origins such as http://10.0.0.5:5678')
  const supabaseUrl = get('SUPABASE_URL')
  for (const name of ['SUPABASE_ANON_KEY', 'SUPABASE_SERVICE_ROLE_KEY', 'SUPABASE_JWT_SECRET'] as const) {
    if (supabaseUrl === null && get(name) !== null) mistakes.push(`SUPABASE_URL must be set too, because ${name} is`)
  }
  const stripe = together(['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'])
  const google = together(['GOOGLE_CLIENT_ID', 'GOOGLE_CLIENT_SECRET'])
  const s3Url = get('S3_URL')
  const publicUrl = get('PUBLIC_URL')
  const smtpUrl = get('SMTP_URL')
  if (!/^v\d{1,3}\.\d$/.test(get('META_GRAPH_VERSION') ?? ''))
    mistakes.push('META_GRAPH_VERSION must be a version such as v25.0')
  const named = list('YOUTUBE_CHARTS', ',').map(chart => chart.toUpperCase())
  const youtubeCharts = named.join() === 'NONE' ? [] : [...new Set(named)]
  if (!youtubeCharts.every(chart => /^[A-Z]{2}(\/(\d{1,6}|\*))?$/.test(chart)))
    mistakes.push(
      'YOUTUBE_CHARTS must be none, or hold countries such as US, US/20 for a category, or US/* for all of them',
    )
  // A link must lead somewhere: no node of a cluster knows the address under which others reach it.
  if (smtpUrl !== null && publicUrl === null && stores.profile === 'cluster')
    mistakes.push('PUBLIC_URL must be set too, because SMTP_URL is: links in mails lead there')

  const config: Config = {
    home: resolve(cwd, flags.home ?? get('CLIPTAPE_HOME') ?? '.cliptape'),
    host: flags.host ?? get('HOST') ?? '127.0.0.1',
    port: flags.port === undefined ? number('PORT') : Number(flags.port),
    sshPort: number('SSH_PORT'),
    publicUrl,
    trustProxyHops: number('TRUST_PROXY'),
    externalApiRateLimit: number('EXTERNAL_API_RATE_LIMIT'),
    corsOrigins: list('CORS_ORIGINS', ','),
    logLevel: z.enum(logLevels).parse(get('LOG_LEVEL') ?? 'info'),
    stores,
    engine: {
      sandbox: z.enum(sandboxModes).parse(get('ENGINE_SANDBOX') ?? 'auto'),
      searchPath: env.PATH ?? '',
    },
    blobs: s3Url === null ? { kind: 'directory' } : { kind: 's3', url: s3Url },
    secrets,
    vault:
      vaultStore === 'supabase'
        ? { store: 'supabase' }
        : { store: 'own', previousKeys: list('VAULT_KEY_PREVIOUS', ',') },
    webhookOrigins,
    supabase:
      supabaseUrl === null
        ? { supabase: 'off' }
        : {
            supabase: 'on',
            url: supabaseUrl.replace(/\/+$/, ''),
            anonKey: get('SUPABASE_ANON_KEY'),
            serviceRoleKey: get('SUPABASE_SERVICE_ROLE_KEY'),
            jwtSecret: get('SUPABASE_JWT_SECRET'),
          },
    billing: stripe
      ? { billing: 'stripe', secretKey: stripe[0] ?? '', webhookSecret: stripe[1] ?? '' }
      : { billing: 'off' },
    google: google
      ? {
          google: 'on',
          clientId: google[0] ?? '',
          clientSecret: google[1] ?? '',
          oauthUrl: base('GOOGLE_OAUTH_URL'),
          certsUrl: get('GOOGLE_CERTS_URL') ?? '',
        }
      : { google: 'off' },
    youtubeApiKey: get('YOUTUBE_API_KEY'),
    isYoutubeAmended: get('YOUTUBE_DERIVED_METRICS') === 'accepted',
    youtubeCharts,
    platformUrls: {
      googleAuthorize: base('GOOGLE_AUTHORIZE_URL'),
      googleToken: base('GOOGLE_OAUTH_URL'),
      youtubeData: base('YOUTUBE_API_URL'),
      youtubeAnalytics: base('YOUTUBE_ANALYTICS_URL'),
      tiktokAuthorize: base('TIKTOK_AUTHORIZE_URL'),
      tiktokApi: base('TIKTOK_API_URL'),
      instagramAuthorize: base('INSTAGRAM_AUTHORIZE_URL'),
      instagramToken: base('INSTAGRAM_TOKEN_URL'),
      instagramGraph: base('INSTAGRAM_API_URL'),
      facebookAuthorize: base('FACEBOOK_AUTHORIZE_URL'),
      facebookGraph: base('FACEBOOK_API_URL'),
      graphVersion: get('META_GRAPH_VERSION') ?? '',
    },
    media: {
      ffmpegPath: get('FFMPEG_PATH') ?? 'ffmpeg',
      searchPath: env.PATH ?? '',
      roots: list('CLIPTAPE_MEDIA_ROOTS', ':').map(root => resolve(cwd, root)),
      workGib: number('CLIPTAPE_WORK_GIB'),
    },
    registration: get('REGISTRATION') === 'closed' ? 'closed' : 'open',
    mail:
      smtpUrl === null
        ? { mail: 'off' }
        : {
            mail: 'smtp',
            url: smtpUrl,
            from: get('MAIL_FROM') ?? `cliptape@${publicUrl === null ? 'localhost' : new URL(publicUrl).hostname}`,
          },
  }
  if (mistakes.length > 0) {
    throw new AppError('BAD_REQUEST', `The configuration cannot be used: ${mistakes.join('; ')}.`, {
      details: { mistakes },
    })
  }
  return Object.freeze(config)
}

/** A setting's text, by its name or else an alias; null when unset or empty. */
export function readSetting(env: Environment, setting: Setting): string | null {
  for (const name of [setting.name, ...(setting.aliases ?? [])]) {
    const value = env[name]?.trim()
    if (value) return value
  }
  return null
}

/** Names in the environment that belong to other programs' setups, with why Cliptape does not need them. */
export function unneededIn(env: Environment): { name: string; reason: string }[] {
  return Object.entries(unneededSettings)
    .filter(([name]) => env[name])
    .map(([name, reason]) => ({ name, reason }))
}

/** An environment for programs of others that we start: everything that came, but no secret of ours. */
export function environmentWithoutSecrets(env: Environment): Record<string, string> {
  const secret = new Set(
    settings
      .filter(setting => setting.kind === 'secret')
      .flatMap((setting: Setting) => [setting.name, ...(setting.aliases ?? [])]),
  )
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined || secret.has(name) ? [] : [[name, value]])),
  )
}

/** What the terminal is allowed to know of the environment: how it may draw, and where preferences are kept. */
export function terminalVariables(env: Environment): {
  term: string
  colorTerm: string
  noColor: boolean
  forceColor: string
  locale: string
  accessible: boolean
  reducedMotion: boolean
  /** Whether a browser that is started here would be seen by whoever sits at the terminal. */
  hasBrowser: boolean
  /** Whether whoever sits at the terminal came in over SSH. */
  isRemote: boolean
  preferencesFolder: string
} {
  const isRemote = Boolean(env.SSH_CONNECTION || env.SSH_TTY)
  return {
    term: env.TERM ?? '',
    colorTerm: env.COLORTERM ?? '',
    noColor: (env.NO_COLOR ?? '') !== '',
    forceColor: env.FORCE_COLOR ?? '',
    locale: env.LC_ALL || env.LC_CTYPE || env.LANG || '',
    accessible: ['1', 'true'].includes(env.ACCESSIBLE ?? ''),
    reducedMotion: ['1', 'true'].includes(env.REDUCED_MOTION ?? ''),
    hasBrowser: !isRemote && (process.platform !== 'linux' || Boolean(env.DISPLAY || env.WAYLAND_DISPLAY)),
    isRemote,
    preferencesFolder: join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'cliptape'),
  }
}

function settingOf(name: SettingName): Setting {
  const setting = settings.find(one => one.name === name)
  if (setting === undefined) throw new Error(`There is no setting ${name}.`)
  return setting
}

/** What is wrong with a value, or null. */
function mistakeIn(setting: Setting, value: string): string | null {
  switch (setting.kind) {
    case 'port':
      return isWholeUpTo(value, 65_535) ? null : 'must be a port number from 0 to 65535'
    case 'count': {
      const max = setting.name === 'TRUST_PROXY' ? 10 : 1_000_000
      const min = setting.name === 'EXTERNAL_API_RATE_LIMIT' ? 1 : 0
      const isCount = isWholeUpTo(value, max) && Number(value) >= min
      return isCount ? null : `must be a whole number from ${min} to ${max}`
    }
    case 'flag':
      return ['0', '1', 'true', 'false'].includes(value) ? null : 'must be 1 or 0'
    case 'level':
      return z.enum(logLevels).safeParse(value).success ? null : `must be one of ${logLevels.join(', ')}`
    case 'choice': {
      const choices = setting.choices ?? []
      return choices.includes(value) ? null : `must be one of ${choices.join(', ')}`
    }
    case 'url':
      return URL.canParse(value) ? null : 'must be a whole address such as https://example.com'
    case 'secret':
      if (placeholder.test(value)) return 'still holds a placeholder: put the real value in'
      if (setting.name.endsWith('_URL') && !URL.canParse(value)) return 'must be a whole address'
      return setting.group === 'secrets' && value.length < 32 ? 'must be at least 32 characters long' : null
    default:
      return null
  }
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

function isWholeUpTo(value: string, max: number): boolean {
  return /^\d{1,7}$/.test(value) && Number(value) <= max
}
