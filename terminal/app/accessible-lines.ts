import type { CastViewer } from '../frame/frame-cast.ts'
import type { SetTimer } from '../keys/decoder.ts'
import type { Size } from '../layout/layout.ts'
import type { LiveClient } from '../net/live-client.ts'
import type { OpenScreen, ScreenView } from '../screens/screen.ts'
import type { Session } from '../state/session.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'

// For screen readers and for terminals that cannot move a cursor: lines are only ever appended, nothing is drawn twice, and
// nothing moves by itself. What has just become true is said once: the notice, the connection, a new screen with its first
// rows, the selected row, a message, what is being typed.

/** How many lines of a screen are read out when it opens. */
const linesMax = 14
/** Rows are read out when they have come, and a screen's changes after that only when asked for (Ctrl-L). */
const settleMs = 300

export interface AccessibleDeps {
  session: Session
  live: LiveClient
  write(text: string): boolean
  nowMs(): number
  setTimer: SetTimer
}

/** Says a session as lines of plain text. */
export class AccessibleLines {
  readonly #deps: AccessibleDeps
  readonly #style = createStyle({ theme: themes.mono, depth: 0, isAscii: true, isReducedMotion: true })
  readonly #said = new Map<string, string>()
  #unsubscribe: (() => void) | null = null
  #stopSettle: (() => void) | null = null
  #readScreen: OpenScreen | null = null
  #size: Size = { columns: 80, rows: 24 }

  constructor(deps: AccessibleDeps) {
    this.#deps = deps
  }

  add(_viewer: CastViewer, size: Size): void {
    this.#size = size
    this.#deps.session.setViewers([this.#page()], this.#style)
    this.#unsubscribe = this.#deps.session.subscribe(() => this.#changed())
    this.#say(
      'hello',
      'Cliptape. Type a command and press Enter, for example TOP or HELP. Up and down read rows. Ctrl-L reads the screen. Ctrl-C twice quits.',
    )
    this.#changed()
  }

  resize(_viewer: CastViewer, size: Size): void {
    this.#size = size
  }

  drained(): void {}

  /** Reads the whole screen again. */
  repaint(): void {
    this.#readScreen = null
    this.#read()
  }

  close(): void {
    this.#unsubscribe?.()
    this.#stopSettle?.()
  }

  /** Lines as wide as a screen reader's user has them, at least a table's width; the height is that of a short list. */
  #page(): Size {
    return { columns: Math.max(this.#size.columns, 80), rows: 24 }
  }

  #view(): ScreenView {
    const { session } = this.#deps
    const rect = { paneIndex: session.state.focused, x: 0, y: 0, width: this.#page().columns, height: linesMax + 1 }
    return session.viewOf(rect, this.#style)
  }

  #changed(): void {
    const { session, live } = this.#deps
    const { status, message: reason } = live.connection
    this.#say('connection', status === 'open' ? 'Connected.' : status === 'connecting' ? '' : reason)
    this.#say('notice', session.world?.notice ?? '')
    const { message, input } = session.state
    this.#say('message', message?.text ?? '')
    this.#say('input', input === null ? '' : `> ${input.text}`)
    this.#say('field', session.state.panes[session.state.focused]?.stack.at(-1)?.spoken(this.#view()) ?? '')
    this.#say('candidate', session.candidates()[input?.selected ?? -1]?.label ?? '')
    this.#stopSettle ??= this.#deps.setTimer(settleMs, () => {
      this.#stopSettle = null
      this.#read()
    })
  }

  /** Reads a screen out once its rows have come, then only its selected row when that changes. */
  #read(): void {
    const { session } = this.#deps
    const screen = session.state.panes[session.state.focused]?.stack.at(-1)
    if (screen === undefined) return
    const queries = screen.queries(query => session.resources.read(query))
    const isWaiting = queries.some(query => this.#deps.live.readAny(query).status === 'loading')
    const lines = screen.draw(this.#view())
    const selected = lines.find(line => line.includes('\u001b[7m'))
    const title = screen.title()
    if (!isWaiting && this.#readScreen?.title() !== title) {
      this.#readScreen = screen
      this.#write(
        [`== ${title}`, ...lines]
          .map(plain)
          .filter(line => line !== '')
          .join('\n'),
      )
      this.#said.set('row', selected === undefined ? '' : identityOf(selected))
    } else if (selected !== undefined && this.#readScreen !== null && this.#readScreen !== screen) {
      this.#readScreen = screen
      if (this.#said.get('row') === identityOf(selected)) return
      this.#said.set('row', identityOf(selected))
      this.#write(plain(selected))
    }
  }

  /** Says a text when it is another than the last one of its kind. */
  #say(kind: string, text: string): void {
    if (this.#said.get(kind) === text) return
    this.#said.set(kind, text)
    if (text !== '') this.#write(text)
  }

  #write(text: string): void {
    this.#deps.write(`${text.replaceAll('\n', '\r\n')}\r\n`)
  }
}

const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')

function plain(line: string): string {
  return line.replace(sgr, '').replace(/\s+/g, ' ').trim()
}

/** A row without its numbers: those change by themselves. */
function identityOf(line: string): string {
  return plain(line).replace(/[\d.,+-]+/g, '')
}
