/**
 * A sandbox of YouTube, TikTok and Instagram: the addresses, forms, oddities and errors of the three, over a made world of
 * creators. Nothing that asks it needs to know: base addresses differ, and nothing else. Each real host is the first part
 * of the path, so that one port serves all of them. State is in memory and ends with the process; what it stands for
 * (who exists, which posts, how many views) follows from seed and clock alone.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import express from 'express'
import { AppError } from '../../contracts/errors.ts'
import type { Clock } from '../../core/clock.ts'
import type { PlatformUrls } from '../port.ts'
import { appsOf, type SandboxApp } from './apps.ts'
import { controlRoutes } from './control-routes.ts'
import { facebookLoginEndpoints } from './facebook-login.ts'
import { type FaultRule, Faults, weather } from './faults.ts'
import { googleEndpoints } from './google.ts'
import { Grants } from './grants.ts'
import { graphDataEndpoints } from './graph-data.ts'
import { instagramLoginEndpoints } from './instagram-login.ts'
import { type Limits, limitsDefault, Quotas } from './quotas.ts'
import { createSandboxApp, type SeenRequest } from './serve.ts'
import { type AutoConsent, type Quirks, quirksDefault, type SandboxState } from './state.ts'
import { tiktokEndpoints } from './tiktok.ts'
import { World } from './world.ts'
import { youtubeAnalyticsEndpoints } from './youtube-analytics.ts'
import { youtubeDataEndpoints } from './youtube-data.ts'

export interface SandboxOptions {
  readonly clock: Clock
  /** Another seed is another world; 1 unless told. */
  readonly seed?: number
  /** 0 takes any free one. */
  readonly port?: number
  /** Creators of each platform, 1 to 65,535; 60 unless told. */
  readonly creatorCount?: number
  /** The world's first day, in epoch ms: the later, the fewer posts there are; that of 2025 unless told. */
  readonly originAtMs?: number
  /** What the apps are registered with, as far as each platform allows it. */
  readonly redirectUris?: readonly string[]
  /** What every video of Instagram is; without it their addresses lead nowhere. Absolute. */
  readonly videoFile?: string
  /** Serves the controls under `/_sandbox`, for a process of its own; `moveClock` moves the clock on. */
  readonly remote?: { readonly moveClock: (ms: number) => void }
}

export interface SandboxControls {
  /** One app of each kind of credentials; more may be added, and all may be changed. */
  readonly apps: SandboxApp[]
  /** What the platforms would say, without asking them. */
  readonly world: World
  /** May be changed at any time. */
  readonly limits: Limits
  readonly quirks: Quirks
  /** The newest 10,000 requests, oldest first. */
  readonly requests: readonly SeenRequest[]
  app(family: SandboxApp['family'], type?: SandboxApp['type']): SandboxApp
  /** What pages of consent do without a person; null shows them again. */
  autoConsent(family: SandboxApp['family'], consent: AutoConsent | null): void
  /** @returns takes the rule away again */
  addFault(rule: FaultRule): () => void
  /** Breaks a part of all answers, each in one of many ways, until the faults are cleared. */
  addWeather(part: number): void
  clearFaults(): void
  /** All users disconnect all apps. */
  revokeAll(): void
  killAccessTokens(): void
  /** Units used today of each daily bucket, by client id and bucket: `<client id> youtube:units`. */
  usedToday(): Record<string, number>
  clearQuotas(): void
}

export interface RunningSandbox {
  /** e.g. `http://127.0.0.1:4499` */
  readonly url: string
  readonly urls: PlatformUrls
  readonly controls: SandboxControls
  close(): Promise<void>
}

const host = '127.0.0.1'
const creatorCountDefault = 60

/** @throws AppError CONFLICT when the port is taken */
export async function startSandbox(options: SandboxOptions): Promise<RunningSandbox> {
  const seed = options.seed ?? 1
  const state: SandboxState = {
    seed,
    clock: options.clock,
    world: new World({
      seed,
      creatorCount: options.creatorCount ?? creatorCountDefault,
      ...(options.originAtMs === undefined ? {} : { originAtMs: options.originAtMs }),
    }),
    apps: appsOf(seed, options.redirectUris ?? []),
    grants: new Grants(seed),
    quotas: new Quotas(),
    limits: { ...limitsDefault },
    faults: new Faults(seed),
    quirks: { ...quirksDefault },
    autoConsent: {},
    videoFile: options.videoFile ?? null,
  }
  const requests: SeenRequest[] = []
  const app = createSandboxApp(state, requests, [
    ...googleEndpoints(state),
    ...youtubeDataEndpoints(state),
    ...youtubeAnalyticsEndpoints(state),
    ...tiktokEndpoints(state),
    ...instagramLoginEndpoints(state),
    ...facebookLoginEndpoints(state),
    ...graphDataEndpoints(state),
  ])
  const controls = controlsOf(state, requests)
  const { remote } = options
  const server = createServer(
    remote === undefined ? app : express().use('/_sandbox', controlRoutes(controls, remote.moveClock)).use(app),
  )
  server.listen(options.port ?? 0, host)
  await once(server, 'listening').catch(cause => {
    throw new AppError('CONFLICT', `The sandbox cannot listen on port ${options.port}: it is taken. Choose another.`, {
      cause,
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('A TCP server has a port.')
  const url = `http://${host}:${address.port}`
  return {
    url,
    urls: urlsUnder(url),
    controls,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Where the platforms are, of a sandbox at this address. */
export function urlsUnder(url: string): PlatformUrls {
  return {
    googleAuthorize: `${url}/accounts.google.com`,
    googleToken: `${url}/oauth2.googleapis.com`,
    youtubeData: `${url}/youtube.googleapis.com`,
    youtubeAnalytics: `${url}/youtubeanalytics.googleapis.com`,
    tiktokAuthorize: `${url}/www.tiktok.com`,
    tiktokApi: `${url}/open.tiktokapis.com`,
    instagramAuthorize: `${url}/www.instagram.com`,
    instagramToken: `${url}/api.instagram.com`,
    instagramGraph: `${url}/graph.instagram.com`,
    facebookAuthorize: `${url}/www.facebook.com`,
    facebookGraph: `${url}/graph.facebook.com`,
    graphVersion: 'v25.0',
  }
}

function controlsOf(state: SandboxState, requests: SeenRequest[]): SandboxControls {
  return {
    apps: state.apps,
    world: state.world,
    limits: state.limits,
    quirks: state.quirks,
    requests,
    app(family, type = 'web') {
      const app = state.apps.find(one => one.family === family && one.type === type)
      if (app === undefined) throw new Error(`The sandbox has no app ${family} of type ${type}.`)
      return app
    },
    autoConsent(family, consent) {
      const { [family]: _, ...others } = state.autoConsent
      state.autoConsent = consent === null ? others : { ...others, [family]: consent }
    },
    addFault: rule => state.faults.add(rule),
    addWeather(part) {
      for (const rule of weather(part)) state.faults.add(rule)
    },
    clearFaults: () => state.faults.clear(),
    revokeAll: () => state.grants.revokeAll(),
    killAccessTokens: () => state.grants.killAccessTokens(),
    usedToday: () => state.quotas.today(state.clock.nowMs()),
    clearQuotas: () => state.quotas.clear(),
  }
}
