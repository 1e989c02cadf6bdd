import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { stopChild } from './process.ts'

/** A page in a real browser without a window, worked as a person does: by looking and by pressing the mouse. */
export interface BrowserPage {
  open(url: string): Promise<void>
  /** Presses the mouse on the first button with this text. */
  click(button: string): Promise<void>
  /** Waits until the page holds a text; resolves to where the page is and all its text. */
  shows(text: string | RegExp): Promise<{ url: string; text: string }>
  close(): Promise<void>
}

const waitMs = 60_000
const AnswerSchema = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
})

/** The browser's program; null where Chromium is not installed. */
export function chromiumPath(): string | null {
  const names = ['chromium', 'chromium-browser', 'google-chrome']
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap(folder => names.map(name => join(folder, name))).find(path => existsSync(path)) ?? null
}

/**
 * Opens an empty page in Chromium, over its DevTools protocol.
 * @throws Error when Chromium is not installed, or says nothing of where it listens
 */
export async function openBrowserPage(): Promise<BrowserPage> {
  const path = chromiumPath()
  if (path === null) throw new Error('Chromium is not installed: npm run test:services says how to get it.')
  const profile = await mkdtemp(join(tmpdir(), 'cliptape-chromium-'))
  const flags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const args = [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank']
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const devTools = await connect(await addressOf(child))
  const { targetId } = z
    .object({ targetId: z.string() })
    .parse(await devTools.send('Target.createTarget', { url: 'about:blank' }))
  const { sessionId } = z
    .object({ sessionId: z.string() })
    .parse(await devTools.send('Target.attachToTarget', { targetId, flatten: true }))
  const ask = (method: string, params: object = {}) => devTools.send(method, params, sessionId)
  /** While a page gives way to the next one nothing can be asked of it. */
  const evaluate = async <T>(expression: string, schema: z.ZodType<T>): Promise<T | null> => {
    const answer = await ask('Runtime.evaluate', { expression, returnByValue: true }).catch(() => null)
    const value = z.object({ result: z.object({ value: z.unknown() }) }).safeParse(answer)
    return value.success ? schema.parse(value.data.result.value) : null
  }
  const until = async <T>(look: () => Promise<T | null>, what: string): Promise<T> => {
    for (const endMs = Date.now() + waitMs; ; await delay(50)) {
      const found = await look()
      if (found !== null) return found
      if (Date.now() > endMs) {
        const text = await evaluate('location.href + "\\n" + document.body?.innerText', z.string())
        throw new Error(`The page never showed ${what}:\n${text}`)
      }
    }
  }
  const PlaceSchema = z.object({ x: z.number(), y: z.number() }).nullable()
  return {
    async open(url) {
      await ask('Page.navigate', { url })
    },
    async click(button) {
      const place = await until(
        () =>
          evaluate(
            `(() => {
              const found = [...document.querySelectorAll('button')].find(one => one.innerText.trim() === ${JSON.stringify(button)})
              found?.scrollIntoView({ block: 'center' })
              const box = found?.getBoundingClientRect()
              return box === undefined ? null : { x: box.x + box.width / 2, y: box.y + box.height / 2 }
            })()`,
            PlaceSchema,
          ),
        `the button "${button}"`,
      )
      for (const type of ['mousePressed', 'mouseReleased'])
        await ask('Input.dispatchMouseEvent', { type, ...place, button: 'left', clickCount: 1 })
    },
    shows: text =>
      until(async () => {
        const page = await evaluate(
          '({ url: location.href, text: document.body?.innerText ?? "" })',
          z.object({ url: z.string(), text: z.string() }),
        )
        const isThere = typeof text === 'string' ? page?.text.includes(text) : text.test(page?.text ?? '')
        return isThere ? page : null
      }, `${text}`),
    async close() {
      devTools.close()
      await stopChild(child, 'SIGTERM')
      // Its helpers may write for a moment after it has ended.
      await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

/** Where the browser listens: it says so once, on stderr. */
async function addressOf(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.once('error', reject)
  child.once('exit', code => reject(new Error(`Chromium ended with ${code}.`)))
  if (child.stderr === null) throw new Error('Chromium was started without a stderr.')
  createInterface({ input: child.stderr }).on('line', line => {
    const address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1]
    if (address !== undefined) resolve(address)
  })
  return await promise
}

/** The DevTools protocol, as far as it is needed: questions and their answers, in any order. */
async function connect(
  address: string,
): Promise<{ send(method: string, params: object, sessionId?: string): Promise<unknown>; close(): void }> {
  const socket = new WebSocket(address)
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let lastId = 0
  socket.on('message', data => {
    const { id, result, error } = AnswerSchema.parse(JSON.parse(String(data)))
    const question = id === undefined ? undefined : waiting.get(id)
    if (id === undefined || question === undefined) return
    waiting.delete(id)
    if (error === undefined) question.resolve(result)
    else question.reject(new Error(JSON.stringify(error)))
  })
  socket.on('close', () => {
    for (const question of waiting.values()) question.reject(new Error('The browser has closed the connection.'))
    waiting.clear()
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  return {
    send(method, params, sessionId) {
      lastId += 1
      const question = Promise.withResolvers<unknown>()
      waiting.set(lastId, question)
      socket.send(JSON.stringify({ id: lastId, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
      return question.promise
    },
    close: () => socket.close(),
  }
}
