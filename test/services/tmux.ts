import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

const waitMs = 90_000

/** A real terminal with a shell in it, looked at and typed into from outside. */
export interface Tmux {
  /** The lines that are on the screen. */
  screen(): string
  /** Presses keys by tmux's names of them (`Enter`, `C-c`), or types words that are none. */
  press(...keys: string[]): void
  /** Types a text as it is, whatever it looks like. */
  type(text: string): void
  resize(columns: number, rows: number): void
  /** The screen once it shows the text; throws with what it shows instead when it never does. */
  shows(wanted: string | RegExp | ((screen: string) => boolean)): Promise<string>
  close(): void
}

/** Whether tmux is installed. */
export function hasTmux(): boolean {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Opens a terminal whose shell knows the given variables and prompts with `prompt> `.
 * @param home a folder of the test: no keychain of whoever runs it is used, and sessions go into a file below it
 */
export function openTmux(o: {
  name: string
  columns: number
  rows: number
  home: string
  env?: Readonly<Record<string, string>>
}): Tmux {
  // A server of our own: another one's configuration would change what is captured.
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-L', o.name, '-f', '/dev/null', ...args], { encoding: 'utf8' })
  const press = (...keys: string[]): void => void tmux('send-keys', '-t', o.name, ...keys)
  const size = ['-x', String(o.columns), '-y', String(o.rows)]
  tmux('new-session', '-d', '-s', o.name, ...size, 'bash --norc --noprofile')
  const variables = {
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${o.home}/none`,
    CLIPTAPE_HOME: `${o.home}/home`,
    XDG_CONFIG_HOME: o.home,
    PORT: '0',
    COLORTERM: 'truecolor',
    LANG: 'C.UTF-8',
    ...o.env,
  }
  const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  press(`export ${words.join(' ')} PS1='prompt> '; clear`, 'Enter')
  const screen = () => tmux('capture-pane', '-p', '-t', o.name)
  return {
    screen,
    press,
    type: text => void tmux('send-keys', '-t', o.name, '-l', '--', text),
    resize: (columns, rows) => void tmux('resize-window', '-t', o.name, '-x', String(columns), '-y', String(rows)),
    async shows(wanted) {
      for (const endMs = Date.now() + waitMs; ; await delay(100)) {
        const shown = screen()
        if (isShown(shown, wanted)) return shown
        if (Date.now() > endMs) throw new Error(`The screen never showed ${wanted}:\n${shown}`)
      }
    },
    close() {
      try {
        tmux('kill-server')
      } catch {
        // The shell may have ended it already.
      }
    },
  }
}

function isShown(screen: string, wanted: string | RegExp | ((screen: string) => boolean)): boolean {
  if (typeof wanted === 'string') return screen.includes(wanted)
  return typeof wanted === 'function' ? wanted(screen) : wanted.test(screen)
}
