import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

/** A TCP port on 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.')
  return address.port
}

/** Starts a program and resolves when one of its lines (stdout or stderr) matches; rejects with all it said when it ends before. */
export async function startUntil(
  command: string,
  args: string[],
  ready: RegExp,
  options: SpawnOptions = {},
): Promise<ChildProcess> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  child.once('error', reject)
  child.once('exit', code => reject(new Error(`${command} ended with ${code}:\n${lines.join('\n')}`)))
  for (const input of [child.stdout, child.stderr]) {
    if (!input) continue
    createInterface({ input }).on('line', line => {
      if (lines.length < 200) lines.push(line)
      if (ready.test(line)) resolve()
    })
  }
  await promise
  return child
}

/** Runs a program to its end; rejects with what it said unless it exits with 0. */
export async function run(command: string, args: string[], options: SpawnOptions = {}): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr]) {
    output?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said}`)
  return said
}

/** What a file shows of a pattern, once it does; it need not be there yet. */
export async function waitForFile(path: string, wanted: RegExp): Promise<string> {
  for (const endMs = Date.now() + 90_000; ; await delay(100)) {
    const found = wanted.exec(readFileSync(path, { encoding: 'utf8', flag: 'a+' }))?.[0]
    if (found !== undefined) return found
    if (Date.now() > endMs) throw new Error(`${path} never showed ${wanted}.`)
  }
}

/** Signals one child that we started and waits for its end; does nothing when it has ended. */
export async function stopChild(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

/** kill -9 of a process that we started and of everything below it, then waits until all are gone. Linux only. */
export async function killTree(pid: number): Promise<void> {
  const pids = treeOf(pid)
  for (const each of pids) {
    try {
      process.kill(each, 'SIGKILL')
    } catch {
      // It ended between the listing and the signal.
    }
  }
  for (const each of pids) while (isRunning(each)) await delay(5)
}

function treeOf(pid: number): number[] {
  const listing = `/proc/${pid}/task/${pid}/children`
  const children = existsSync(listing) ? readFileSync(listing, 'utf8').trim().split(' ').filter(Boolean) : []
  return [pid, ...children.flatMap(child => treeOf(Number(child)))]
}

/** False for a zombie too: it runs no more and holds nothing. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
