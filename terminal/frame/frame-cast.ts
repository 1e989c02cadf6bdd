import type { Size } from '../layout/layout.ts'
import { groundOf } from '../theme/color-depth.ts'
import type { Style } from '../theme/style.ts'
import { encodeLine } from './encode-line.ts'
import type { FrameModel } from './frame-model.ts'
import { InkSurface } from './ink-surface.tsx'

// One drawing for all viewers of one size and style. The cast keeps the lines that are on their screens and sends those that
// changed, each with its place. So a late joiner, a window that was resized and a viewer whose connection was stuck are one
// case: send every line. No terminal is emulated, and the cursor cannot drift.

const syncStart = '\u001b[?2026h\u001b[?25l'
const syncEnd = '\u001b[?2026l'

/** Somebody who watches: `write` returns false when the stream is full; then nothing is sent until `drained`. */
export interface CastViewer {
  write(text: string): boolean
}

/** Draws one size in one style for any number of viewers. */
export class FrameCast {
  readonly size: Size
  readonly style: Style
  readonly #surface: InkSurface
  /** Viewers and whether they are waiting for their stream to drain. */
  readonly #viewers = new Map<CastViewer, { isStuck: boolean }>()
  #drawn: readonly string[] = []
  #encoded: string[] = []
  #cursor: FrameModel['cursor'] = null

  constructor(size: Size, style: Style) {
    this.size = size
    this.style = style
    this.#surface = new InkSurface(size)
  }

  get viewerCount(): number {
    return this.#viewers.size
  }

  /** Draws the frame and sends what changed. Returns the bytes of the update, before it is sent to each viewer. */
  draw(model: FrameModel): number {
    const lines = this.#surface.draw(model)
    let changed = ''
    const rowCount = Math.max(lines.length, this.#drawn.length)
    for (let y = 0; y < rowCount; y++) {
      const line = lines[y] ?? ''
      if (line === this.#drawn[y]) continue
      const encoded = encodeLine(line, this.style)
      this.#encoded[y] = encoded
      changed += placeLine(y, encoded)
    }
    const hasMoved = this.#cursor?.x !== model.cursor?.x || this.#cursor?.y !== model.cursor?.y
    this.#drawn = lines
    this.#cursor = model.cursor
    if (changed === '' && !hasMoved) return 0
    const update = `${syncStart}${changed}${this.#cursorText()}${syncEnd}`
    for (const [viewer, state] of this.#viewers) if (!state.isStuck) state.isStuck = !viewer.write(update)
    return Buffer.byteLength(update)
  }

  /** Shows everything to a new viewer, or again to one whose screen cannot be trusted. */
  attach(viewer: CastViewer): void {
    this.#viewers.set(viewer, { isStuck: !viewer.write(this.#everything()) })
  }

  detach(viewer: CastViewer): void {
    this.#viewers.delete(viewer)
  }

  /** The viewer's stream takes more again: what it missed is sent as one whole screen. */
  drained(viewer: CastViewer): void {
    if (this.#viewers.get(viewer)?.isStuck === true) this.attach(viewer)
  }

  close(): void {
    this.#viewers.clear()
    this.#surface.close()
  }

  #everything(): string {
    const lines = this.#encoded.map((line, y) => placeLine(y, line)).join('')
    const ground = groundOf(this.style.theme, this.style.depth)
    return `${syncStart}${ground}\u001b[2J${lines}${this.#cursorText()}${syncEnd}`
  }

  #cursorText(): string {
    return this.#cursor === null ? '' : `\u001b[${this.#cursor.y + 1};${this.#cursor.x + 1}H\u001b[?25h`
  }
}

/** The line at its place, the rest of the row erased in its ground. */
function placeLine(y: number, line: string): string {
  return `\u001b[${y + 1};1H${line}\u001b[K\u001b[0m`
}
