import type { SetTimer } from '../keys/decoder.ts'
import type { Size } from '../layout/layout.ts'
import type { LiveClient } from '../net/live-client.ts'
import type { TerminalEnv } from '../state/preferences.ts'
import type { Session } from '../state/session.ts'
import { createStyle, type Style } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import { tapeStepMs } from '../widgets/tape.ts'
import { Composer } from './compose.ts'
import { type CastViewer, FrameCast } from './frame-cast.ts'

// Decides when to draw and for whom. After input a frame is drawn at once (all changes of one event in one frame); changes of
// data wait for the next slot, so that a busy market costs no more than twelve frames a second. Viewers of one size and style
// share a cast.

/** Least time between two frames that data alone asks for. */
const frameMs = 80
/** Clocks move, even where nothing else does. */
const clockMs = 1000

export interface HubDeps {
  session: Session
  live: LiveClient
  nowMs(): number
  setTimer: SetTimer
}

interface Seat {
  viewer: CastViewer
  size: Size
  env: TerminalEnv
  /** The terminal has said that it shows images. */
  hasImages: boolean
  cast: FrameCast
}

/** Draws a session for its viewers. */
export class FrameHub {
  readonly #deps: HubDeps
  readonly #seats: Seat[] = []
  readonly #casts = new Map<string, { cast: FrameCast; composer: Composer }>()
  readonly #unsubscribe: () => void
  #isQueued = false
  #isClosed = false
  #drawnAtMs = 0
  #stopSlot: (() => void) | null = null
  #stopTick: (() => void) | null = null

  constructor(deps: HubDeps) {
    this.#deps = deps
    this.#unsubscribe = deps.session.subscribe(urgency => (urgency === 'now' ? this.#drawNow() : this.#drawSoon()))
  }

  /** Seats a viewer; the first one drives. */
  add(viewer: CastViewer, size: Size, env: TerminalEnv): void {
    const style = this.#styleOf({ env, hasImages: false })
    this.#tellSession([...this.#seats.map(seat => seat.size), size], this.#seats[0]?.cast.style ?? style)
    const cast = this.#castFor(size, style)
    this.#seats.push({ viewer, size, env, hasImages: false, cast })
    this.#drawCast(cast)
    cast.attach(viewer)
    this.#scheduleTick()
  }

  /** The viewer's window has another size now: everything is laid out and sent anew. */
  resize(viewer: CastViewer, size: Size): void {
    const seat = this.#seatOf(viewer)
    if (seat === undefined || (seat.size.columns === size.columns && seat.size.rows === size.rows)) return
    seat.size = size
    this.#reseat(seat)
  }

  /** The viewer's terminal shows images. */
  takesImages(viewer: CastViewer): void {
    const seat = this.#seatOf(viewer)
    if (seat === undefined) return
    seat.hasImages = true
    this.#drawSoon()
  }

  drained(viewer: CastViewer): void {
    this.#seatOf(viewer)?.cast.drained(viewer)
  }

  /** Sends the whole screen again, to every viewer. */
  repaint(): void {
    for (const seat of this.#seats) seat.cast.attach(seat.viewer)
  }

  close(): void {
    this.#isClosed = true
    this.#unsubscribe()
    this.#stopSlot?.()
    this.#stopTick?.()
    for (const { cast } of this.#casts.values()) cast.close()
    this.#casts.clear()
    this.#seats.length = 0
  }

  #seatOf(viewer: CastViewer): Seat | undefined {
    return this.#seats.find(seat => seat.viewer === viewer)
  }

  #styleOf({ env, hasImages }: Pick<Seat, 'env' | 'hasImages'>): Style {
    const { themeName, depth, pictures } = this.#deps.session.state
    const sent = env.depth === 0 ? 0 : (depth ?? env.depth)
    return createStyle({
      theme: sent === 0 ? themes.mono : themes[themeName],
      depth: sent,
      isAscii: env.isAscii,
      isReducedMotion: env.isReducedMotion,
      // Their numbers are sent as true colours.
      hasImages: sent === 24 && !env.isAscii && (pictures === 'auto' ? hasImages : pictures === 'kitty'),
    })
  }

  #castFor(size: Size, style: Style): FrameCast {
    const key = `${size.columns}x${size.rows} ${style.key}`
    const known = this.#casts.get(key)
    if (known !== undefined) return known.cast
    const cast = new FrameCast(size, style)
    const composer = new Composer({ session: this.#deps.session, live: this.#deps.live, size, style })
    this.#casts.set(key, { cast, composer })
    return cast
  }

  #reseat(seat: Seat): void {
    seat.cast.detach(seat.viewer)
    this.#tellSession(
      this.#seats.map(each => each.size),
      this.#styleOf(this.#seats[0] ?? seat),
    )
    const cast = this.#castFor(seat.size, this.#styleOf(seat))
    seat.cast = cast
    this.#dropEmpty(cast)
    this.#drawCast(cast)
    cast.attach(seat.viewer)
  }

  #dropEmpty(kept: FrameCast): void {
    for (const [key, { cast }] of this.#casts) {
      if (cast === kept || cast.viewerCount > 0) continue
      cast.close()
      this.#casts.delete(key)
    }
  }

  #tellSession(sizes: readonly Size[], style: Style): void {
    this.#deps.session.setViewers(sizes, style)
  }

  /** Once for everything that happens in this turn of the event loop. */
  #drawNow(): void {
    if (this.#isQueued || this.#isClosed) return
    this.#isQueued = true
    queueMicrotask(() => {
      this.#isQueued = false
      this.#drawAll()
    })
  }

  #drawSoon(): void {
    if (this.#stopSlot !== null || this.#isClosed) return
    const waitMs = Math.max(0, this.#drawnAtMs + frameMs - this.#deps.nowMs())
    this.#stopSlot = this.#deps.setTimer(waitMs, () => this.#drawAll())
  }

  #drawAll(): void {
    if (this.#isClosed) return
    this.#stopSlot?.()
    this.#stopSlot = null
    this.#drawnAtMs = this.#deps.nowMs()
    for (const seat of this.#seats) if (this.#styleOf(seat).key !== seat.cast.style.key) this.#reseat(seat)
    for (const { cast } of this.#casts.values()) this.#drawCast(cast)
  }

  #drawCast(cast: FrameCast): void {
    const entry = [...this.#casts.values()].find(each => each.cast === cast)
    if (entry !== undefined) cast.draw(entry.composer.compose(this.#deps.nowMs()))
  }

  #scheduleTick(): void {
    this.#stopTick?.()
    const isMoving = this.#seats.some(seat => !seat.env.isReducedMotion)
    this.#stopTick = this.#deps.setTimer(isMoving ? tapeStepMs : clockMs, () => {
      this.#drawSoon()
      this.#scheduleTick()
    })
  }
}
