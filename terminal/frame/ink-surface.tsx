import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { type Instance, render } from 'ink'
import { App } from '../app/App.tsx'
import type { Size } from '../layout/layout.ts'
import type { Geometry } from './frame-model.ts'

// React and Ink lay the screen out; they do not see what is written on it. Measured: Ink takes apart, checks and puts together
// again every character of every frame, 15 ms for a full table, however little has changed and however its lines were
// prepared. So each line of the screen is a slot with a mark of one cell, Ink says where the marks end up, and the writer
// puts the prepared lines there. Ink works when the layout changes, not when a number does.
//
// Ink's debug mode writes each frame whole, at once and without erase codes, into a stream that nobody sees. Cursor,
// alternate screen, paste and mouse modes are not its business here.

/** Where a slot's first cell stands. */
export interface SlotPlace {
  slot: number
  x: number
  y: number
}

/** Marks are characters for private use: `clean()` lets none of them in from outside, and each takes one cell. */
const firstMark = 0xe000
const slotsMax = 0xf8ff - firstMark
const markOf = (slot: number) => String.fromCharCode(firstMark + slot)

/** The part of a tty's output that Ink uses. */
class FrameSink extends EventEmitter {
  readonly isTTY = true
  readonly writable = true
  readonly columns: number
  readonly rows: number
  #frame = ''

  constructor(size: Size) {
    super()
    this.columns = size.columns
    this.rows = size.rows
  }

  write(text: string): boolean {
    // Mode switches start so; a frame starts with a mark or a space.
    if (!text.startsWith('\u001b[?')) this.#frame = text
    return true
  }

  get frame(): string {
    return this.#frame
  }
}

/** An idle tty input: keys reach the session through our own decoder. */
class IdleInput extends PassThrough {
  readonly isTTY = true
  setRawMode(): this {
    return this
  }
  ref(): this {
    return this
  }
  unref(): this {
    return this
  }
}

/** Lays out screens of one size. */
export class InkSurface {
  readonly #sink: FrameSink
  #ink: Instance | null = null

  constructor(size: Size) {
    this.#sink = new FrameSink(size)
  }

  /** Where the slots of this geometry stand, by rows; a slot that has no room is left out. */
  place(geometry: Geometry): SlotPlace[] {
    const app = <App geometry={geometry} markOf={markOf} />
    if (this.#ink === null) this.#ink = this.#open(app)
    else this.#ink.rerender(app)
    const lines = this.#sink.frame.split('\n').slice(0, geometry.rows)
    return lines.flatMap((line, y) =>
      [...line].flatMap((mark, x) => {
        const slot = mark.charCodeAt(0) - firstMark
        return slot >= 0 && slot < slotsMax ? [{ slot, x, y }] : []
      }),
    )
  }

  close(): void {
    this.#ink?.unmount()
    this.#ink?.cleanup()
    this.#ink = null
  }

  #open(app: React.ReactElement): Instance {
    // Ink's types ask for whole tty streams; it uses what the two classes above have.
    const stdout = this.#sink as unknown as NodeJS.WriteStream
    const stdin = new IdleInput() as unknown as NodeJS.ReadStream
    return render(app, {
      stdout,
      stderr: stdout,
      stdin,
      debug: true,
      interactive: true,
      patchConsole: false,
      exitOnCtrlC: false,
      isScreenReaderEnabled: false,
    })
  }
}
