import type { PaneRect, Size } from './layout/layout.ts'
import { cacheTokens, type TokenSource } from './net/access-token.ts'
import { createHttpClient } from './net/http-client.ts'
import { LiveClient } from './net/live-client.ts'
import { webSocketConnect } from './net/transport.ts'
import { realTimer } from './real-timer.ts'
import type { OpenScreen, Picture } from './screens/screen.ts'
import { Session, worldQuery } from './state/session.ts'
import { createStyle } from './theme/style.ts'
import { type ThemeName, themes } from './theme/themes.ts'

export interface PictureOptions {
  /** The server's address, http or ws. */
  url: string
  token: TokenSource
  /** A command whose screen can be drawn, e.g. `BOARD market-overview`. */
  command: string
  /** Cells of the drawing. */
  size: Size
  theme: ThemeName
  /** After how long what is there is drawn, even if not everything has come, in ms. */
  waitMs: number
}

/** A picture of a screen as nobody sees it; `isWhole` says whether everything had come. Null when there was nothing to draw, with the reason. */
export type DrawnPicture = { picture: Picture; isWhole: boolean } | { picture: null; reason: string }

/** Opens a screen without a terminal, waits until its rows have come, and draws it once. Never throws for what the server does. */
export async function drawPicture(options: PictureOptions): Promise<DrawnPicture> {
  const { size, url } = options
  const style = createStyle({ theme: themes[options.theme], depth: 24, isAscii: false, isReducedMotion: true })
  const tokens = cacheTokens(options.token, Date.now)
  let onLive = () => {}
  const live = new LiveClient(
    { connect: webSocketConnect(url), tokens, setTimer: realTimer, nowMs: Date.now, random: Math.random },
    () => onLive(),
  )
  const session = new Session({ ...nobody, live, http: createHttpClient({ url, tokens }) }, options.command)
  onLive = () => session.liveChanged()
  const rect: PaneRect = { paneIndex: 0, x: 0, y: 0, width: size.columns, height: size.rows }
  const view = () => session.viewOf(rect, style)
  session.setViewers([size], style)
  live.open()
  try {
    const drawn = () => shownScreen(session)?.picture(view()) ?? null
    const isWhole = await untilCome(session, () => hasCome(session, live) && drawn() !== null, options.waitMs)
    const picture = drawn()
    if (picture !== null) return { picture, isWhole }
    return { picture: null, reason: reasonOf(session, live) }
  } finally {
    session.close()
    live.close()
  }
}

/** What a session needs of a person and a terminal, without either. */
const nobody = {
  account: null,
  preferences: { load: () => null, save() {} },
  sqlDesk: { load: () => null, save() {} },
  saveFile: async () => {
    throw new Error('Nothing is saved here.')
  },
  copy: () => false,
  ring() {},
  openBrowser: async () => false,
  setTimer: realTimer,
  nowMs: Date.now,
  theme: null,
  onQuit() {},
  onRepaint() {},
}

/** Every query of the screen has been answered once, well or not. */
function hasCome(session: Session, live: LiveClient): boolean {
  const queries = shownScreen(session)?.queries(query => session.resources.read(query)) ?? []
  return queries.length > 0 && [worldQuery, ...queries].every(query => live.readAny(query).status !== 'loading')
}

function shownScreen(session: Session): OpenScreen | undefined {
  return session.state.panes[session.state.focused]?.stack.at(-1)
}

/** Until everything has come; false when something failed, or it took too long. */
async function untilCome(session: Session, isThere: () => boolean, waitMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const look = () => {
    if (isThere()) resolve(true)
    else if (hasFailed(session)) resolve(false)
  }
  const stop = session.subscribe(look)
  const stopTimer = realTimer(waitMs, () => resolve(false))
  look()
  try {
    return await promise
  } finally {
    stop()
    stopTimer()
  }
}

function hasFailed(session: Session): boolean {
  return session.state.message?.kind === 'error' || failedResource(session) !== null
}

function failedResource(session: Session): string | null {
  const resources = shownScreen(session)?.resources(query => session.resources.read(query)) ?? []
  const failed = resources.map(query => session.resources.read(query)).find(each => each.status === 'error')
  return failed?.message ?? null
}

function reasonOf(session: Session, live: LiveClient): string {
  const said = session.state.message?.text ?? failedResource(session)
  if (said !== null) return said
  return live.connection.message || 'Nothing had come when the time was over.'
}
