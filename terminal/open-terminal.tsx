import type { Readable, Writable } from 'node:stream'
import { AccessibleLines } from './app/accessible-lines.ts'
import { askVersion, showsImages } from './charts/kitty-images.ts'
import type { SaveFile } from './export/export-list.ts'
import type { RenderPng } from './export/save-picture.ts'
import type { CastViewer } from './frame/frame-cast.ts'
import { FrameHub } from './frame/frame-hub.ts'
import { bellText, clipboardText, endScreen, enterScreen, leaveScreen, mouseMode } from './frame/screen-modes.ts'
import { KeyDecoder, type SetTimer } from './keys/decoder.ts'
import type { Size } from './layout/layout.ts'
import { cacheTokens, type TokenSource } from './net/access-token.ts'
import type { Account } from './net/account.ts'
import { createHttpClient } from './net/http-client.ts'
import { LiveClient } from './net/live-client.ts'
import { type Connect, webSocketConnect } from './net/transport.ts'
import { realTimer } from './real-timer.ts'
import type { PreferencesPort, TerminalEnv } from './state/preferences.ts'
import { Session } from './state/session.ts'
import type { SqlDeskPort } from './state/sql-desk.ts'

/** What a terminal needs of its surroundings; a local tty and an SSH channel look the same. */
export interface TerminalOptions {
  stdin: Readable & { setRawMode?: (isRaw: boolean) => unknown; isTTY?: boolean }
  stdout: Writable
  /** The window now; 0×0 counts as 80×24. */
  size(): Size
  /** Calls back after every change of size; returns what ends it. */
  onResize(callback: () => void): () => void
  /** The server's address, http or ws. */
  url: string
  /** Asked whenever a token is needed and the one before has ended or was refused. */
  token: TokenSource
  /** Of a remote server: the terminal then has a form to sign in. `token` must be this account's. */
  account?: Account
  /** Opens an address in the system's browser; without it none is ever opened. */
  openBrowser?: (url: string) => Promise<boolean>
  /** The terminal is asked what it is, and gets images where it shows them; otherwise pictures are drawn in cells. */
  asksForImages?: boolean
  env: TerminalEnv
  preferences: PreferencesPort
  /** Keeps what is written as SQL; without it, for as long as the terminal is open. */
  sqlDesk?: SqlDeskPort
  saveFile: SaveFile
  /** Makes a PNG of an SVG; without it pictures are saved as SVG alone. */
  renderPng?: RenderPng
  /** Shown in the first pane instead of TOP. */
  startCommand?: string
  /** Another way to the server than a WebSocket: a recording. */
  connect?: Connect
  /** The wall clock, epoch milliseconds. */
  nowMs?: () => number
  setTimer?: SetTimer
}

/** `quit`: the user left. `lost`: the terminal itself went away. `error`: input or output failed. */
export type TerminalEnd = { reason: 'quit' | 'lost' | 'error' }

export interface OpenTerminal {
  /** Resolves once, when the terminal has ended and was given back as it was. */
  done: Promise<TerminalEnd>
  /** Ends it from outside, e.g. on SIGTERM. */
  close(): Promise<void>
}

/**
 * Opens the terminal on a pair of streams: takes the screen over, connects, draws until the user quits. Never throws for
 * what the server or the network do; those are shown.
 */
export function openTerminal(options: TerminalOptions): OpenTerminal {
  const { stdin, stdout, env } = options
  const nowMs = options.nowMs ?? Date.now
  const setTimer = options.setTimer ?? realTimer
  const ended = Promise.withResolvers<TerminalEnd>()
  let isEnded = false

  const tokens = cacheTokens(options.token, nowMs)
  // First of all: whoever is told after it must not be handed the token of somebody else.
  const stopAccount = options.account?.subscribe(() => {
    if (options.account?.state.status === 'signedOut') tokens.forget()
  })
  // The client and the session each tell the other something; the session comes second.
  let onLive = () => {}
  let onEvent = (_topic: string, _payload: unknown) => {}
  const live = new LiveClient(
    {
      connect: options.connect ?? webSocketConnect(options.url),
      tokens,
      setTimer,
      nowMs,
      random: Math.random,
    },
    () => onLive(),
    (topic, payload) => onEvent(topic, payload),
  )
  const session = new Session(
    {
      live,
      http: createHttpClient({ url: options.url, tokens }),
      account: options.account ?? null,
      preferences: options.preferences,
      sqlDesk: options.sqlDesk ?? { load: () => null, save() {} },
      saveFile: options.saveFile,
      ...(options.renderPng === undefined ? {} : { renderPng: options.renderPng }),
      copy(text) {
        if (env.isAccessible) return false
        stdout.write(clipboardText(text))
        return true
      },
      ring: notification => void stdout.write(bellText(notification)),
      openBrowser: options.openBrowser ?? (async () => false),
      setTimer,
      nowMs,
      theme: env.theme,
      onQuit: () => end('quit'),
      onRepaint: () => picture.repaint(),
    },
    options.startCommand ?? null,
  )
  onLive = () => session.liveChanged()
  onEvent = (topic, payload) => session.eventCame(topic, payload)

  const viewer: CastViewer = { write: text => stdout.write(text) }
  const picture = env.isAccessible
    ? new AccessibleLines({ session, live, write: text => stdout.write(text), nowMs, setTimer })
    : new FrameHub({ session, live, nowMs, setTimer })
  const decoder = new KeyDecoder(event => {
    if (event.type === 'reply' && picture instanceof FrameHub && showsImages(event.raw)) picture.takesImages(viewer)
    else session.handle(event)
  }, setTimer)

  const sizeNow = (): Size => {
    const { columns, rows } = options.size()
    return { columns: columns > 0 ? columns : 80, rows: rows > 0 ? rows : 24 }
  }
  const onData = (chunk: Uint8Array | string) => decoder.push(chunk)
  const onDrain = () => picture.drained(viewer)
  const onLost = () => end('lost')
  const onError = () => end('error')
  const stopResize = options.onResize(() => picture.resize(viewer, sizeNow()))
  const stopMouse = env.isAccessible ? () => {} : followMouse(session, text => stdout.write(text))

  function end(reason: TerminalEnd['reason']): void {
    if (isEnded) return
    isEnded = true
    stopResize()
    stopMouse()
    stopAccount?.()
    decoder.close()
    picture.close()
    session.close()
    live.close()
    stdin.off('data', onData)
    stdin.off('end', onLost)
    stdin.off('close', onLost)
    stdin.off('error', onError)
    stdout.off('drain', onDrain)
    stdout.off('close', onLost)
    stdin.setRawMode?.(false)
    stdin.pause()
    // The error handler stays: a terminal that is gone may still answer the last write with one.
    if (stdout.destroyed || stdout.writableEnded) return ended.resolve({ reason })
    stdout.write(env.isAccessible ? '\n' : endScreen, () => ended.resolve({ reason }))
  }

  stdout.on('error', onError)
  stdout.on('drain', onDrain)
  stdout.on('close', onLost)
  stdin.on('error', onError)
  stdin.on('end', onLost)
  stdin.on('close', onLost)
  stdin.setRawMode?.(true)
  stdin.on('data', onData)
  stdin.resume()
  if (!env.isAccessible) stdout.write(enterScreen + mouseMode(session.state.isMouseOn))
  picture.add(viewer, sizeNow(), env)
  if (options.asksForImages === true && !env.isAccessible) stdout.write(askVersion)
  live.open()

  return {
    done: ended.promise,
    async close() {
      end('quit')
      await ended.promise
    },
  }
}

/**
 * Gives a terminal back as it was, for the handlers of last resort: after a crash, when nobody can be waited for. Writing
 * it to a terminal that was never taken over does no harm.
 */
export function restoreTerminal(stdout: Pick<Writable, 'write'>): void {
  stdout.write(leaveScreen)
}

/** Switches the mouse mode of the terminal whenever the session's does. */
function followMouse(session: Session, write: (text: string) => void): () => void {
  let isOn = session.state.isMouseOn
  return session.subscribe(() => {
    if (session.state.isMouseOn === isOn) return
    isOn = session.state.isMouseOn
    write(mouseMode(isOn))
  })
}
