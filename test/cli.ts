import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { placeTestStore } from '../core/clickhouse/test-store.ts'
import { placeTestDb } from '../core/db/test-db.ts'
import { packageRoot } from '../sql/read.ts'

const launcher = join(packageRoot, 'bin', 'cliptape.mjs')

export interface Finished {
  code: number
  stdout: string
  stderr: string
}

/** A home in a temporary folder, as it is after a first start that took no data; that start itself costs seconds. */
export async function makeHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'cliptape-home-'))
  await Promise.all([placeTestDb(join(home, 'relational')), placeTestStore('cliptape', join(home, 'analytics'))])
  return home
}

/** The `cliptape` command on one home, as a user runs it: each call a process of its own. `more` are further settings. */
export function cliOn(home: string, more: Readonly<Record<string, string>> = {}) {
  const env = { PATH: process.env.PATH, HOME: home, CLIPTAPE_HOME: home, PORT: '0', LANG: 'C.UTF-8', ...more }
  return {
    run: (...args: string[]): Promise<Finished> =>
      new Promise(resolve => {
        const child = execFile(
          process.execPath,
          [launcher, ...args],
          { env, cwd: home, maxBuffer: 64e6 },
          (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
        )
      }),
    /**
     * Starts `serve`, or another verb that listens; resolves when it says where. `log()` is its standard error so far,
     * `pid` that of the process that listens.
     */
    async serve(...args: string[]): Promise<{ child: ChildProcess; url: string; pid: number; log: () => string }> {
      const child = spawn(process.execPath, [launcher, ...(args.length > 0 ? args : ['serve'])], {
        env,
        cwd: home,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const errors: string[] = []
      child.stderr.on('data', chunk => errors.push(String(chunk)))
      for await (const line of createInterface({ input: child.stdout })) {
        const [, url, pid] = /listens on (\S+) \(process (\d+)\)/.exec(line) ?? []
        if (url) return { child, url, pid: Number(pid), log: () => errors.join('') }
      }
      throw new Error(`The server ended before it listened: ${errors.join('')}`)
    },
  }
}

/** Ends a process with a signal and waits for it. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
  if (child.exitCode !== null) return child.exitCode
  const ended = once(child, 'exit')
  child.kill(signal)
  const [code, by] = await ended
  return code ?? by
}
