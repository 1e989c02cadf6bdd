import { deleteImage, imagesIn, sendImage } from '../charts/kitty-images.ts'
import type { Size } from '../layout/layout.ts'
import { groundOf } from '../theme/color-depth.ts'
import type { Style } from '../theme/style.ts'
import { encodeLine } from './encode-line.ts'
import { type FrameModel, geometryOf, slotTexts } from './frame-model.ts'
import { InkSurface, type SlotPlace } from './ink-surface.tsx'

// One drawing for all viewers of one size and style. The cast knows what stands in every slot of their screens and sends the
// slots that changed, each with its place. So a late joiner, a window that was resized and a viewer whose connection was stuck
// are one case: send every slot. No terminal is emulated, and the cursor cannot drift. Images that lines show by their number
// are sent to each viewer before the first line that does, and taken away when nothing shows any.

const syncStart = '\u001b[?2026h\u001b[?25l'
const syncEnd = '\u001b[?2026l'
/** Images that a viewer keeps for the way back, beside those on the screen. */
const imagesKeptMax = 64

/** Somebody who watches: `write` returns false when the stream is full; then nothing is sent until `drained`. */
export interface CastViewer {
  write(text: string): boolean
}

/** What stands at a place of the screen, as it was drawn and as it was sent. */
interface Shown {
  width: number
  text: string
  sent: string
  images: readonly number[]
}

interface ViewerState {
  /** Its stream takes nothing until it has drained. */
  isStuck: boolean
  /** What it was sent, the latest last. */
  images: Set<number>
}

/** Draws one size in one style for any number of viewers. */
export class FrameCast {
  readonly size: Size
  readonly style: Style
  readonly #surface: InkSurface
  readonly #viewers = new Map<CastViewer, ViewerState>()
  #geometryKey = ''
  #places: readonly SlotPlace[] = []
  /** By place: `y * columns + x`. */
  #shown = new Map<number, Shown>()
  #cursor: FrameModel['cursor'] = null

  constructor(size: Size, style: Style) {
    this.size = size
    this.style = style
    this.#surface = new InkSurface(size)
  }

  get viewerCount(): number {
    return this.#viewers.size
  }

  /** Draws the frame and sends what changed. Returns the bytes that each viewer is sent. */
  draw(model: FrameModel): number {
    const geometry = geometryOf(model)
    const geometryKey = JSON.stringify(geometry)
    const isSameGeometry = geometryKey === this.#geometryKey
    if (!isSameGeometry) {
      this.#places = this.#surface.place(geometry)
      this.#geometryKey = geometryKey
    }
    const texts = slotTexts(model, geometry)
    // Slots cover the screen without a gap, so whatever a new geometry moves away is written over.
    const shown = isSameGeometry ? this.#shown : new Map<number, Shown>()
    let changed = ''
    for (const { slot, x, y } of this.#places) {
      const next = texts[slot]
      if (next === undefined) continue
      const place = y * this.size.columns + x
      const before = this.#shown.get(place)
      if (before !== undefined && before.text === next.text && before.width === next.width) {
        shown.set(place, before)
        continue
      }
      // Nothing is erased: slots are exactly as wide as their place, and behind a character in the last column the cursor
      // still stands on it in xterm and tmux, so that erasing to the end of the line would take it away again.
      const sent = `\u001b[${y + 1};${x + 1}H${encodeLine(next.text, x, this.style)}\u001b[0m`
      shown.set(place, { ...next, sent, images: this.style.hasImages ? imagesIn(next.text) : [] })
      changed += sent
    }
    this.#shown = shown
    return this.#send(changed, model.cursor)
  }

  /** Shows everything to a new viewer, or again to one whose screen cannot be trusted. */
  attach(viewer: CastViewer): void {
    const state = this.#viewers.get(viewer) ?? { isStuck: false, images: new Set() }
    this.#viewers.set(viewer, state)
    state.isStuck = !viewer.write(this.#imagesFor(state) + this.#everything())
  }

  detach(viewer: CastViewer): void {
    const state = this.#viewers.get(viewer)
    if (state !== undefined && state.images.size > 0) viewer.write(forget(state, state.images))
    this.#viewers.delete(viewer)
  }

  /** The viewer's stream takes more again: what it missed is sent as one whole screen. */
  drained(viewer: CastViewer): void {
    if (this.#viewers.get(viewer)?.isStuck === true) this.attach(viewer)
  }

  close(): void {
    for (const viewer of [...this.#viewers.keys()]) this.detach(viewer)
    this.#surface.close()
  }

  #send(changed: string, cursor: FrameModel['cursor']): number {
    const hasMoved = this.#cursor?.x !== cursor?.x || this.#cursor?.y !== cursor?.y
    this.#cursor = cursor
    if (changed === '' && !hasMoved) return 0
    const update = `${syncStart}${changed}${this.#cursorText()}${syncEnd}`
    for (const [viewer, state] of this.#viewers)
      if (!state.isStuck) state.isStuck = !viewer.write(this.#imagesFor(state) + update)
    return Buffer.byteLength(update)
  }

  /** Images that are on the screen and not yet at the viewer; those it need not keep are taken away. */
  #imagesFor(state: ViewerState): string {
    if (!this.style.hasImages) return ''
    const shown = new Set([...this.#shown.values()].flatMap(({ images }) => images))
    const news = [...shown].filter(image => !state.images.has(image))
    for (const image of news) state.images.add(image)
    const others = [...state.images].filter(image => !shown.has(image))
    const surplus = shown.size === 0 ? others : others.slice(0, Math.max(0, others.length - imagesKeptMax))
    return forget(state, surplus) + news.map(sendImage).join('')
  }

  #everything(): string {
    const slots = [...this.#shown.values()].map(shown => shown.sent).join('')
    const ground = groundOf(this.style.theme, this.style.depth)
    return `${syncStart}${ground}\u001b[2J\u001b[0m${slots}${this.#cursorText()}${syncEnd}`
  }

  #cursorText(): string {
    return this.#cursor === null ? '' : `\u001b[${this.#cursor.y + 1};${this.#cursor.x + 1}H\u001b[?25h`
  }
}

function forget(state: ViewerState, images: Iterable<number>): string {
  let text = ''
  for (const image of [...images]) {
    state.images.delete(image)
    text += deleteImage(image)
  }
  return text
}
