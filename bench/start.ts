import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import xterm from '@xterm/headless'
import { packageRoot } from '../sql/read.ts'

// `npm start` on an installed tree and a home with data, up to the first complete live frame: the terminal is connected and
// its first list has rows. On a real pty of 160×45 (util-linux `script`), read by a terminal emulator. The baseline of the
// same run is what Node and Ink cost by themselves: a process that does nothing, and one that draws one line with Ink.
// Prints one JSON object. Argument: number of runs (5).

const runs = Number(process.argv[2] ?? 5)
const columns = 160
const rows = 45
const giveUpMs = 120_000
const launcher = join(packageRoot, 'bin', 'cliptape.mjs')
const sample = join(packageRoot, 'ingest', 'sample', 'USvideos_first15days.csv.gz')
const home = mkdtempSync(join(tmpdir(), 'cliptape-bench-start-'))
const env = {
  ...process.env,
  CLIPTAPE_HOME: home,
  HOME: home,
  PORT: '0',
  COLORTERM: 'truecolor',
  TERM: 'xterm-256color',
  LANG: 'C.UTF-8',
}

const inkHello = `import React from 'react'; import { render, Text } from 'ink'; const app = render(React.createElement(Text, null, 'hello')); app.unmount()`

function timeOf(args: string[]): number {
  const startedMs = performance.now()
  const result = spawnSync(process.execPath, args, {
    cwd: packageRoot,
    env: { ...env, NODE_ENV: 'production' },
    stdio: 'ignore',
  })
  if (result.status !== 0) throw new Error(`A baseline failed: node ${args.join(' ').slice(0, 60)}`)
  return performance.now() - startedMs
}

/** Starts the product on a pty, waits for the frame, leaves it by Ctrl-C twice. */
async function startOnce(): Promise<{ frameMs: number; exitMs: number }> {
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true })
  const startedMs = performance.now()
  const child = spawn('script', ['-qfec', `stty cols ${columns} rows ${rows}; npm start --silent`, '/dev/null'], {
    cwd: packageRoot,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const giveUp = setTimeout(() => child.kill('SIGKILL'), giveUpMs)
  for await (const chunk of child.stdout) {
    await new Promise<void>(resolve => screen.write(chunk, resolve))
    if (isComplete(screen)) break
  }
  const frameMs = performance.now() - startedMs
  child.stdout.resume()
  child.stdin.write('\x03')
  child.stdin.write('\x03')
  const leftMs = performance.now()
  await exited
  clearTimeout(giveUp)
  if (frameMs >= giveUpMs) throw new Error('No complete live frame came.')
  return { frameMs, exitMs: performance.now() - leftMs }
}

/** Connected, and at least ten ranked rows. */
function isComplete(screen: InstanceType<typeof xterm.Terminal>): boolean {
  const lines = Array.from({ length: rows }, (_, y) => screen.buffer.active.getLine(y)?.translateToString(true) ?? '')
  const rankedCount = lines.filter(line => /^[\s▌>*│|]*\d{1,3}\s.*\d/.test(line)).length
  return lines.some(line => /CONNECTED/.test(line)) && rankedCount >= 10
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

try {
  const imported = spawnSync(process.execPath, [launcher, 'import', sample], {
    cwd: packageRoot,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (imported.status !== 0) throw new Error('The sample could not be imported.')
  const nodeMs: number[] = []
  const inkMs: number[] = []
  const frameMs: number[] = []
  const exitMs: number[] = []
  for (let run = 0; run < runs; run += 1) {
    nodeMs.push(timeOf(['-e', '0']))
    inkMs.push(timeOf(['--input-type=module', '-e', inkHello]))
    const once = await startOnce()
    frameMs.push(once.frameMs)
    exitMs.push(once.exitMs)
  }
  console.log(
    JSON.stringify({
      bench: 'start',
      cores: cpus().length,
      runs,
      frameMsMedian: Math.round(median(frameMs)),
      frameMsMin: Math.round(Math.min(...frameMs)),
      frameMsMax: Math.round(Math.max(...frameMs)),
      exitMsMedian: Math.round(median(exitMs)),
      bareNodeMsMedian: Math.round(median(nodeMs)),
      inkHelloMsMedian: Math.round(median(inkMs)),
      ratioToInkHello: Number((median(frameMs) / median(inkMs)).toFixed(2)),
      goalMs: 3000,
    }),
  )
} finally {
  rmSync(home, { recursive: true, force: true })
}
