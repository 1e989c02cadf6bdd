import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { systemBrowser } from './system-browser.ts'

const browser = systemBrowser({ hasBrowser: false, env: {} })

it('takes the one redirect on the loopback and says that the page may be closed', async () => {
  const listener = await browser.listen()
  expect(listener.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/signed-in$/)
  const stray = await fetch(new URL('/favicon.ico', listener.redirectUri))
  expect(stray.status).toBe(404)
  const page = await fetch(`${listener.redirectUri}?code=a%20b&state=<script>`)
  expect(page.headers.get('content-security-policy')).toBe("default-src 'none'")
  const text = await page.text()
  expect(text).toContain('You may close this page')
  expect(text).not.toContain('<script>')
  expect(Object.fromEntries(await listener.redirected)).toEqual({ code: 'a b', state: '<script>' })
  listener.close()
  await expect(fetch(listener.redirectUri)).rejects.toThrow()
})

it('tells who waits that the sign-in was left', async () => {
  const listener = await browser.listen()
  listener.close()
  await expect(listener.redirected).rejects.toThrow('The sign-in was left.')
})

it('opens nothing where nobody would see it', async () => {
  expect(await browser.open('https://accounts.google.com/')).toBe(false)
})

it('opens pages, and nothing else that a server may name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-browser-'))
  for (const name of ['xdg-open', 'open']) await writeFile(join(folder, name), '#!/bin/sh\n', { mode: 0o700 })
  const seen = systemBrowser({ hasBrowser: true, env: { PATH: folder } })
  const opened = async (...urls: string[]) => await Promise.all(urls.map(url => seen.open(url)))
  expect(await opened('https://accounts.google.com/', 'http://127.0.0.1:4400/')).toEqual([true, true])
  expect(await opened('file:///etc/passwd', 'vscode://x', '-a Calculator', '')).toEqual([false, false, false, false])
  await rm(folder, { recursive: true })
})
