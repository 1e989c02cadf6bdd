import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packageRoot } from '../sql/read.ts'

// The whole program in a real terminal (tmux): a new user types the command, looks, presses keys, resizes the window, quits.

const hasTmux = (() => {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const session = `cliptape-test-${process.pid}`
let home = ''

function tmux(...args: string[]): string {
  // A server of our own: another one's configuration would change what is captured.
  return execFileSync('tmux', ['-L', session, '-f', '/dev/null', ...args], { encoding: 'utf8' })
}

function screen(): string {
  return tmux('capture-pane', '-p', '-t', session)
}

function type(...keys: string[]): void {
  tmux('send-keys', '-t', session, ...keys)
}

/** The screen once it shows the text; what it shows instead when it never does. */
async function waitFor(wanted: string | RegExp, timeoutMs = 90_000): Promise<string> {
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const shown = screen()
    if (typeof wanted === 'string' ? shown.includes(wanted) : wanted.test(shown)) return shown
    if (Date.now() > endMs) throw new Error(`The screen never showed ${wanted}:\n${shown}`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

const cliptape = join(packageRoot, 'bin/cliptape.mjs')

/** What a file shows of a pattern, once it does. */
async function waitForFile(path: string, wanted: RegExp): Promise<string> {
  const endMs = Date.now() + 90_000
  for (;;) {
    const found = wanted.exec(readFileSync(path, { encoding: 'utf8', flag: 'a+' }))?.[0]
    if (found !== undefined) return found
    if (Date.now() > endMs) throw new Error(`${path} never showed ${wanted}.`)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

describe.skipIf(!hasTmux)('the terminal in tmux', () => {
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'cliptape-tmux-'))
    tmux('new-session', '-d', '-s', session, '-x', '100', '-y', '30', 'bash --norc --noprofile')
    const env = `CLIPTAPE_HOME=${home}/home XDG_CONFIG_HOME=${home} PORT=0 COLORTERM=truecolor LANG=C.UTF-8 PS1='prompt> '`
    // No keychain of whoever runs the tests: a session goes into the file below `home`.
    type(`export DBUS_SESSION_BUS_ADDRESS=unix:path=${home}/none ${env}; clear`, 'Enter')
  })
  afterEach(() => {
    try {
      tmux('kill-server')
    } catch {
      // The shell may have ended it already.
    }
    rmSync(home, { recursive: true, force: true })
  })

  test('starts, shows rows that move, survives a resize, and leaves a clean terminal', async () => {
    type(`node ${cliptape} up`, 'Enter')
    const first = await waitFor(/^ +1 (NEW|·|[▲▼]\d+) /m)
    expect(first).toContain('CLIPTAPE')
    expect(first).toContain('NOT LIVE')
    expect(first).toContain(' 1 TOP CLIPS 24H')

    const clock = /DATA (\S+ \S+)/.exec(first)?.[1]
    await waitFor(new RegExp(`DATA (?!${clock})\\S+ \\S+`))

    type('j', 'j')
    await waitFor('Row down')
    tmux('resize-window', '-t', session, '-x', '180', '-y', '50')
    const wide = await waitFor(/ 2 \S+.* GP /)
    expect(wide.split('\n').filter(line => line.includes('CLIPTAPE'))).toHaveLength(1)
    tmux('resize-window', '-t', session, '-x', '80', '-y', '24')
    const small = await waitFor('2 GP  3 MOV')
    expect(small.split('\n').filter(line => line.startsWith(' 1 TOP CLIPS 24H'))).toHaveLength(1)
    expect(small.split('\n')[0]).toContain('CLIPTAPE')

    type('OPS', 'Enter')
    await waitFor(/^ PART +NAME/m)

    type('C-c')
    await waitFor('Press Ctrl-C again to quit.')
    type('C-c')
    const after = await waitFor(/^prompt> ?$/m)
    expect(after).not.toContain('CLIPTAPE  ')
    type('stty -a | tr ";" "\\n" | grep -E -o -- "-?(icanon|echo)\\b"', 'Enter')
    const modes = await waitFor(/^echo$/m)
    expect(modes).toMatch(/^icanon$/m)
    expect(modes).not.toMatch(/^-icanon$/m)
  })

  test('registers on a server of another home, keeps the session, makes a key, and signs out', async () => {
    type(`node ${cliptape} serve > ${home}/serve.log 2>&1 &`, 'Enter')
    const url = await waitForFile(join(home, 'serve.log'), /http:\/\/127\.0\.0\.1:\d+/)
    const open = `CLIPTAPE_HOME=${home}/nowhere node ${cliptape} terminal --url ${url}`
    type(`clear; ${open} API`, 'Enter')
    await waitFor('New account')
    type('ada@example.com', 'Tab', 'Tab', 'Tab', 'Enter')
    await waitFor('Once more')
    type('correct horse battery', 'Enter', 'correct horse battery', 'Enter')
    await waitFor('No key yet: n creates one.')
    type('n', 'nightly report', 'Enter', 'Enter', 'Enter')
    const made = await waitFor('This is the only time')
    expect(made).toMatch(/cl_live_\w{8}_/)
    type('Escape')
    await waitFor(/nightly.* cl_live_/)
    type('C-c', 'C-c')
    await waitFor(/^prompt> ?$/m)

    const folder = join(home, 'cliptape', 'sessions')
    const files = readdirSync(folder).filter(name => name.endsWith('.json'))
    expect(files).toHaveLength(1)
    expect(statSync(join(folder, files[0] ?? '')).mode & 0o777).toBe(0o600)

    type(`clear; ${open} API`, 'Enter')
    await waitFor('nightly')
    type('LOGOUT', 'Enter')
    await waitFor('You have signed out.')
    expect(readdirSync(folder).filter(name => name.endsWith('.json'))).toEqual([])
    type('C-c', 'C-c')
    await waitFor(/^prompt> ?$/m)
    type('kill %1; wait', 'Enter')
    await waitFor(/Done|Exit|Terminated/)
  })
})
