import { onTestFinished } from 'vitest'
import type { TerminalEnv } from '../terminal/state/preferences.ts'
import { type HttpRig, openHttpRig } from './account-rig.ts'
import { openRig, type Rig, type ScriptedServer } from './terminal-rig.ts'

export interface ScreenOptions {
  columns?: number
  rows?: number
  isAscii?: boolean
  env?: Partial<TerminalEnv>
  /** False is a machine on which no browser can be opened. */
  hasBrowser?: boolean
  asksForImages?: boolean
  replies?: HttpRig['replies']
  /** Live data other than those that every rig has. */
  server?: ScriptedServer
}

export interface ScreenRig {
  rig: Rig
  http: HttpRig
  /** What the browser was asked to open. */
  opened: string[]
}

/** A terminal of 80×24 that starts with a command, on a server that knows `replies`. Both end with the test. */
export async function openScreen(startCommand: string, options: ScreenOptions): Promise<ScreenRig> {
  const { columns = 80, rows = 24, isAscii = false, env, hasBrowser = true, replies = {}, server } = options
  const { asksForImages = false } = options
  const opened: string[] = []
  const http = await openHttpRig(replies)
  const rig = await openRig({
    columns,
    rows,
    url: http.url,
    startCommand,
    ...(server === undefined ? {} : { server }),
    asksForImages,
    env: { isAscii, ...env },
    async openBrowser(url) {
      opened.push(url)
      return hasBrowser
    },
  })
  onTestFinished(async () => {
    await rig.end()
    await http.close()
  })
  return { rig, http, opened }
}

/** The screen with what changes from run to run taken out: the clock and the server's port. */
export function steadyScreen({ rig, http }: ScreenRig): string {
  const { port } = new URL(http.url)
  const lines = rig.lines().map(line =>
    line
      .replaceAll(port, '4400')
      .replace(/\d\d:\d\d:\d\d UTC/, '12:00:00 UTC')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}
