import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packageRoot } from '../sql/read.ts'
import { type BrowserPage, chromiumPath, openBrowserPage } from './services/chromium.ts'
import { waitForFile } from './services/process.ts'
import { hasTmux, openTmux, type Tmux } from './services/tmux.ts'

// The whole way of a new user, from an empty home, with the program, a terminal and a browser as they are: credentials are
// typed in, an account is linked on the pages of the platform's sandbox, and its numbers come.

const cliptape = join(packageRoot, 'bin/cliptape.mjs')
let home = ''
let terminal: Tmux
let browser: BrowserPage

describe.skipIf(!hasTmux() || chromiumPath() === null)('a new user at a terminal and a browser', () => {
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'cliptape-browser-'))
    terminal = openTmux({ name: `cliptape-browser-${process.pid}`, columns: 90, rows: 40, home })
    browser = await openBrowserPage()
  })
  afterAll(async () => {
    await browser.close()
    terminal.close()
    rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })

  test('starts beside a sandbox of the platforms, with nothing entered', async () => {
    terminal.press(`node ${cliptape} sandbox --port 0 > ${sandboxFile()} &`, 'Enter')
    await waitForFile(sandboxFile(), /The sandbox listens on/)
    terminal.press(`clear; node --env-file=${sandboxFile()} ${cliptape} up`, 'Enter')
    await terminal.shows(' 1 TOP CLIPS 24H')
    terminal.press('KEYS', 'Enter')
    await terminal.shows(/TikTok for Desktop +TikTok +not entered/)
  })

  test('enters credentials, sees them become valid, links an account in the browser, and sees its numbers', async () => {
    await enter('tiktok', { row: 2, title: 'TikTok for Desktop' })
    await link('TikTok')
    terminal.press('CRM', 'Enter')
    const followers = await terminal.shows(/TikTok +[\d.]+[KMB]? /)
    expect(kpis(followers)).toMatch(/^ [\d.]+[KMB]? /)
  })

  test('accepts the terms for measures of YouTube, links an account there, and the numbers of all move', async () => {
    const before = kpis(terminal.screen())
    terminal.press('KEYS', 'Enter')
    await terminal.shows(/TikTok +linked/)
    terminal.press('g')
    await enter('google', { row: 0, title: 'Google OAuth client' })
    terminal.press('a')
    await terminal.shows('Has Google accepted your amendment')
    terminal.press('a')
    await terminal.shows('Measures of YouTube are shown')
    await link('YouTube')
    terminal.press('CRM', 'Enter')
    await terminal.shows(/YouTube +[\d.]+[KMB]? /)
    await terminal.shows(screen => kpis(screen).split(/ +/)[1] !== before.split(/ +/)[1])
    terminal.press('C-c', 'C-c')
    await terminal.shows(/^prompt> ?$/m)
    terminal.press('kill %1; wait', 'Enter')
  })
})

function sandboxFile(): string {
  return join(home, 'sandbox.env')
}

/** Types the credentials of a desktop app of the sandbox into the form of a row, and waits until they are good. */
async function enter(family: string, { row, title }: { row: number; title: string }): Promise<void> {
  const printed = readFileSync(sandboxFile(), 'utf8')
  const [, id = '', secret = ''] =
    new RegExp(`^# ${family} \\(desktop\\): client id ([^,]+), secret ([^,\\s]+)`, 'm').exec(printed) ?? []
  for (let i = 0; i < row; i++) terminal.press('j')
  terminal.press('Enter')
  await terminal.shows(`${title}, for`)
  terminal.type(id)
  terminal.press('Enter')
  terminal.type(secret)
  terminal.press('Enter')
  await terminal.shows(new RegExp(`${title} +\\S+ +valid`))
}

/** Begins a link, goes to the address that the screen shows, allows everything there, and comes back. */
async function link(platform: string): Promise<void> {
  terminal.press('l')
  const shown = await terminal.shows(/Open the link below[\s\S]*Redirect address/)
  const address = /https?:\/\/[\s\S]*?(?= +Redirect address)/.exec(shown)?.[0] ?? ''
  await browser.open(address.replaceAll(/\s+/g, ''))
  await browser.shows('asks for access')
  await browser.click('Allow')
  await browser.shows('go back to the terminal')
  await terminal.shows('Done: the account is linked.')
  terminal.press('Enter')
  await terminal.shows(new RegExp(`${platform} +linked`))
}

/** The line of the present numbers, below their names. */
function kpis(screen: string): string {
  const lines = screen.split('\n')
  return lines[lines.findIndex(line => line.startsWith(' FOLLOW ')) + 1] ?? ''
}
