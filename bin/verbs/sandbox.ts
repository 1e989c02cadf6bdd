import { join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { platforms } from '../../contracts/ids.ts'
import { systemClock } from '../../core/clock.ts'
import type { Config } from '../../core/config.ts'
import { watchProcessEnd } from '../../core/lifecycle.ts'
import { credentialKinds, type PlatformUrls } from '../../platforms/port.ts'
import type { SandboxApp } from '../../platforms/sandbox/apps.ts'
import { callbackPath, redirectUriOf } from '../../server/features/links/redirect-uris.ts'
import { packageRoot } from '../../sql/read.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

interface SandboxFlags {
  port: number
  seed: number
  creators: number
  redirect?: string[]
}

/** The setting that leads to each host. */
const settingOf: Readonly<Record<keyof PlatformUrls, string>> = {
  googleAuthorize: 'GOOGLE_AUTHORIZE_URL',
  googleToken: 'GOOGLE_OAUTH_URL',
  youtubeData: 'YOUTUBE_API_URL',
  youtubeAnalytics: 'YOUTUBE_ANALYTICS_URL',
  tiktokAuthorize: 'TIKTOK_AUTHORIZE_URL',
  tiktokApi: 'TIKTOK_API_URL',
  instagramAuthorize: 'INSTAGRAM_AUTHORIZE_URL',
  instagramToken: 'INSTAGRAM_TOKEN_URL',
  instagramGraph: 'INSTAGRAM_API_URL',
  facebookAuthorize: 'FACEBOOK_AUTHORIZE_URL',
  facebookGraph: 'FACEBOOK_API_URL',
  graphVersion: 'META_GRAPH_VERSION',
}

export function addSandbox(program: Command, context: VerbContext): void {
  program
    .command('sandbox')
    .description('Run a sandbox of YouTube, TikTok and Instagram, and print the settings that lead to it.')
    .option('--port <number>', 'TCP port; 0 takes any free one.', numberUpTo(65_535), 4499)
    .option('--seed <number>', 'Another number is another world.', numberUpTo(4_294_967_295), 1)
    .option('--creators <number>', 'How many there are on each platform.', numberUpTo(65_535), 60)
    .option('--redirect <address...>', 'More addresses that its apps are registered to send browsers to.')
    .action(async (flags: SandboxFlags) => run(context, flags))
}

async function run(context: VerbContext, flags: SandboxFlags): Promise<void> {
  const { startSandbox } = await import('../../platforms/sandbox/sandbox.ts')
  const config = configOf(context)
  const end = watchProcessEnd({ log: () => null, restoreTerminal: () => undefined })
  let aheadMs = 0
  const sandbox = await startSandbox({
    clock: { speed: 1, nowMs: () => systemClock.nowMs() + aheadMs },
    seed: flags.seed,
    port: flags.port,
    creatorCount: Math.max(1, flags.creators),
    videoFile: join(packageRoot, 'media', 'sample', 'sample.mp4'),
    redirectUris: [...redirectUrisOf(config), ...(flags.redirect ?? [])],
    remote: {
      moveClock: ms => {
        aheadMs += ms
      },
    },
  })
  try {
    for (const [host, url] of Object.entries(sandbox.urls))
      if (host in settingOf) context.out(`${settingOf[host as keyof PlatformUrls]}=${url}`)
    for (const app of sandbox.controls.apps) context.out(credentialsLine(app))
    context.out(
      `# The sandbox listens on ${sandbox.url} (process ${process.pid}). Its controls: ${sandbox.url}/_sandbox`,
    )
    await end.requested
  } finally {
    await sandbox.close()
  }
}

/** Where this server's links come back to, at whichever port where a platform takes any. */
function redirectUrisOf(config: Config): string[] {
  const bases = ['127.0.0.1', 'localhost'].map(host => `http://${host}:${config.port}`)
  if (config.publicUrl !== null) bases.push(config.publicUrl.replace(/\/+$/, ''))
  const exact = bases.flatMap(base => credentialKinds.map(kind => redirectUriOf(kind, base).uri))
  const atAnyPort = platforms.flatMap(platform =>
    ['127.0.0.1', 'localhost'].map(host => `http://${host}:*${callbackPath(platform)}`),
  )
  return [...new Set([...exact, ...atAnyPort])]
}

function credentialsLine({ family, type, clientId, clientSecret, apiKeys }: SandboxApp): string {
  const key = apiKeys[0] === undefined ? '' : `, API key ${apiKeys[0]}`
  return `# ${family} (${type}): client id ${clientId}, secret ${clientSecret}${key}`
}

function numberUpTo(max: number): (text: string) => number {
  return text => {
    if (/^\d{1,10}$/.test(text) && Number(text) <= max) return Number(text)
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`)
  }
}
