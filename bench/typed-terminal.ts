import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

// A terminal that is typed into and timed from outside. Needs `script` (util-linux).

/** Longer than anything measured here may take: a run ends. */
const waitMsMax = 60_000
/** Keys of one measurement. */
export const keyCount = 60

/** A program on a terminal device of 160×48. */
export class TypedInto {
  readonly #child
  #shown = ''
  #wanted: { text: string | RegExp; resolve: () => void } | null = null

  constructor(command: string, env: Readonly<Record<string, string | undefined>>) {
    const line = `stty cols 160 rows 48; exec ${command}`
    this.#child = spawn('script', ['-qfec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#shown += text
      const { text: wanted = null, resolve } = this.#wanted ?? {}
      if (typeof wanted === 'string' ? this.#shown.includes(wanted) : wanted?.test(this.#shown)) resolve?.()
    })
  }

  /** Types, and takes the time until what is drawn from then on shows a text. */
  async press(keys: string, text: string | RegExp): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#shown = ''
    this.#wanted = { text, resolve }
    const startMs = performance.now()
    this.#child.stdin.write(keys)
    await Promise.race([promise, lost(`The terminal never showed ${text}.`)])
    return performance.now() - startMs
  }

  async quit(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin.write('\u0003\u0003')
    await Promise.race([ended, lost('The terminal did not end.')])
  }

  /** Resident memory of the program, in MB: what it is now, and the most that it was. */
  memoryMb(): { now: number; most: number } {
    const script = this.#child.pid ?? 0
    const pid = readFileSync(`/proc/${script}/task/${script}/children`, 'utf8').trim()
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const of = (name: string) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1000)
    return { now: of('VmRSS'), most: of('VmHWM') }
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

async function lost(sentence: string): Promise<never> {
  await delay(waitMsMax, undefined, { ref: false })
  throw new Error(sentence)
}

/** Milliseconds. */
export type Figures = { median: number; p99: number }

/** Every key is told in the status line by the frame that answers it. */
export async function keysOnTop(of: TypedInto): Promise<Figures> {
  const taken = []
  for (let i = 0; i < keyCount; i += 1) {
    taken.push(i % 2 === 0 ? await of.press('j', 'Row down') : await of.press('k', 'Row up'))
    await rest(i)
  }
  return figuresOf(taken)
}

/** Sometimes long enough for the exact frame to be asked for, sometimes not, as when a person looks for a place. */
export async function rest(i: number): Promise<void> {
  await delay(40 + (i % 17) * 8)
}

/** To a tenth. */
export function figuresOf(values: readonly number[]): Figures {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN) * 10) / 10
  return { median: at(0.5), p99: at(0.99) }
}
