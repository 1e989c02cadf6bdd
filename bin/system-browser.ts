import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { BrowserPort, LoopbackListener } from '../terminal/net/account.ts'

// The system's browser, and the address on the loopback that it comes back to (RFC 8252). Only one path is served, one answer
// is taken, and the page says nothing but that one may close it.

const path = '/signed-in'

/**
 * @param hasBrowser whether a browser that is started here would be seen by the user
 * @param env the environment that the browser gets
 */
export function systemBrowser({
  hasBrowser,
  env,
}: {
  hasBrowser: boolean
  env: Readonly<Record<string, string>>
}): BrowserPort {
  return {
    open: async url => hasBrowser && isPage(url) && (await startBrowser(url, env)),
    listen,
  }
}

/** An address may come from a server: another scheme would start another program, and a dash would be an option. */
function isPage(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)
}

/** Resolves once the program that opens addresses has started or could not be. */
function startBrowser(url: string, env: Readonly<Record<string, string>>): Promise<boolean> {
  const [command, ...args] = {
    darwin: ['open', url],
    win32: ['rundll32', 'url.dll,FileProtocolHandler', url],
  }[process.platform as string] ?? ['xdg-open', url]
  return new Promise(resolve => {
    const child = spawn(command ?? 'xdg-open', args, { stdio: 'ignore', detached: true, env: { ...env } })
    child.on('error', () => resolve(false))
    child.on('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}

async function listen(): Promise<LoopbackListener> {
  const answer = Promise.withResolvers<URLSearchParams>()
  // Whoever never looks at the answer must not see it fail.
  answer.promise.catch(() => {})
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    const isAnswer = request.method === 'GET' && url.pathname === path && url.searchParams.has('state')
    response.writeHead(isAnswer ? 200 : 404, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'",
      'cache-control': 'no-store',
      connection: 'close',
    })
    response.end(isAnswer ? donePage : '')
    if (isAnswer) answer.resolve(url.searchParams)
  })
  // Whoever leaves the terminal meanwhile does not wait for a browser.
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    redirectUri: `http://127.0.0.1:${port}${path}`,
    redirected: answer.promise,
    close() {
      answer.reject(new Error('The sign-in was left.'))
      server.close()
    },
  }
}

const donePage =
  '<!doctype html><html lang="en"><title>Cliptape</title><p>You may close this page and go back to the terminal.</p></html>'
