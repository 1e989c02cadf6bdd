import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { type Instance, render } from 'ink'
import { App } from '../app/App.tsx'
import type { Size } from '../layout/layout.ts'
import type { FrameModel } from './frame-model.ts'

// Ink draws into a stream that nobody sees. In its debug mode it writes every frame whole and at once, as lines that are
// self-contained, with no erase codes and no throttling: exactly what a writer that sends changed lines wants. Cursor,
// alternate screen, paste and mouse modes are not Ink's business here.

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
    // Mode switches start so; a frame never does, because it starts with text or a colour.
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

/** Draws frames of one size. */
export class InkSurface {
  readonly #size: Size
  readonly #sink: FrameSink
  #ink: Instance | null = null

  constructor(size: Size) {
    this.#size = size
    this.#sink = new FrameSink(size)
  }

  /** The frame as lines, at most as many as the window has rows. */
  draw(model: FrameModel): string[] {
    if (this.#ink === null) this.#ink = this.#open(model)
    else this.#ink.rerender(<App model={model} />)
    return this.#sink.frame.split('\n').slice(0, this.#size.rows)
  }

  close(): void {
    this.#ink?.unmount()
    this.#ink?.cleanup()
    this.#ink = null
  }

  #open(model: FrameModel): Instance {
    // Ink's types ask for whole tty streams; it uses what the two classes above have.
    const stdout = this.#sink as unknown as NodeJS.WriteStream
    const stdin = new IdleInput() as unknown as NodeJS.ReadStream
    return render(<App model={model} />, {
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
