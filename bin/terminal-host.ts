import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { terminalVariables } from '../core/config.ts'
import type { ProcessEnd } from '../core/lifecycle.ts'
import type { TokenSource } from '../terminal/net/access-token.ts'
import type { Account } from '../terminal/net/account.ts'
import { openTerminal, restoreTerminal } from '../terminal/open-terminal.tsx'
import type { TerminalEnv } from '../terminal/state/preferences.ts'
import { renderPng } from './render-png.ts'
import { saveNewFile } from './save-new-file.ts'

type Variables = ReturnType<typeof terminalVariables>
type OpenedTerminal = ReturnType<typeof openTerminal>

/** What the command line asks the terminal to look like at first. */
export interface TerminalView {
  theme?: string
  /** Shown instead of TOP. */
  startCommand?: string
}

/** Opens the terminal on this process's own tty. */
export function openLocalTerminal(options: {
  url: string
  token: TokenSource
  /** Of a remote server, where a person signs in. */
  account?: Account
  /** Opens an address in the system's browser; false when there is none here. */
  openBrowser: (url: string) => Promise<boolean>
  variables: Variables
  view: TerminalView
  /** Where exports and downloads go. */
  cwd: string
  /** What the terminal is opened on, a home or a remote server: SQL that is being written is kept for each. */
  place: string
}): OpenedTerminal {
  const { stdin, stdout } = process
  return openTerminal({
    stdin,
    stdout,
    size: () => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 }),
    onResize: callback => {
      stdout.on('resize', callback)
      return () => void stdout.off('resize', callback)
    },
    url: options.url,
    token: options.token,
    ...(options.account === undefined ? {} : { account: options.account }),
    openBrowser: options.openBrowser,
    // Images are large: they are for terminals of this machine.
    asksForImages: !options.variables.isRemote,
    env: { ...terminalEnv(options.variables), theme: options.view.theme ?? null },
    ...(options.view.startCommand === undefined ? {} : { startCommand: options.view.startCommand }),
    preferences: jsonFile(join(options.variables.preferencesFolder, 'preferences.json')),
    sqlDesk: jsonFile(deskPath(options.variables.preferencesFolder, options.place)),
    saveFile: (name, content) => saveNewFile(options.cwd, name, content),
    renderPng,
  })
}

/**
 * Asks for a drain when the tty goes: a window that is closed, or a connection that breaks, makes every read and write of
 * it fail, which is nobody's fault.
 */
export function endWithTerminal(end: ProcessEnd): void {
  for (const stream of [process.stdin, process.stdout, process.stderr])
    stream.on('error', () => end.request('the terminal is gone'))
}

/** Gives the tty back as it was; safe at any time. */
export function restoreLocalTerminal(): void {
  if (!process.stdout.isTTY) return
  process.stdin.setRawMode?.(false)
  // Writes to a tty are synchronous: the process may end in the next moment.
  restoreTerminal(process.stdout)
}

/** What the terminal can draw, as far as the environment tells. */
export function terminalEnv(variables: Variables): TerminalEnv {
  const isDumb = variables.term === 'dumb'
  return {
    depth: isDumb || variables.noColor ? 0 : depthOf(variables),
    isAscii: isDumb || !/utf-?8/i.test(variables.locale),
    isReducedMotion: variables.reducedMotion,
    isAccessible: variables.accessible || isDumb,
    theme: null,
  }
}

function depthOf({ colorTerm, term, forceColor }: Variables): TerminalEnv['depth'] {
  if (/^(truecolor|24bit)$/i.test(colorTerm) || forceColor === '3' || /-direct$/.test(term)) return 24
  if (/256/.test(term) || forceColor === '2') return 8
  return 4
}

function deskPath(folder: string, place: string): string {
  return join(folder, 'sql', `${createHash('sha256').update(place).digest('hex').slice(0, 24)}.json`)
}

/** What is remembered in a file that only its user can read. */
function jsonFile(path: string): { load(): unknown; save(content: unknown): void } {
  return {
    load() {
      try {
        return JSON.parse(readFileSync(path, 'utf8'))
      } catch {
        // Nothing was remembered yet, or a person broke the file: the defaults hold.
        return null
      }
    },
    save(content) {
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
        writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 })
        renameSync(`${path}.${process.pid}`, path)
      } catch {
        // A read-only home folder must not stop anybody from working.
      }
    },
  }
}
