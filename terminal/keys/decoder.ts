import { StringDecoder } from 'node:string_decoder'

// Bytes of a terminal become events here, in front of Ink, which has no names for F-keys, drops the mouse and takes fast
// typing for one long key. Input arrives cut anywhere: in the middle of a UTF-8 character, of an escape sequence, of a
// paste; or several keys at once. What could still become a longer sequence waits for `escapeMs`, then counts as typed: that
// is the only way to tell the Escape key from the start of a sequence.

export type PointerKind = 'press' | 'release' | 'move' | 'wheelUp' | 'wheelDown'

/**
 * What a user did. `key` names a key with its modifiers in the order `C-` (Ctrl), `M-` (Alt), `S-` (Shift), e.g. `C-p`,
 * `S-tab`, `f1`, `space`, `é`; `text` is what it types, if anything. Cells of the mouse count from 0. `reply` is an answer
 * of the terminal itself and is never typed text.
 */
export type InputEvent =
  | { type: 'key'; key: string; text: string | null }
  | { type: 'pointer'; kind: PointerKind; button: number; x: number; y: number }
  | { type: 'paste'; text: string }
  | { type: 'focus'; hasFocus: boolean }
  | { type: 'reply'; raw: string }

/** Starts a timer and returns what stops it. */
export type SetTimer = (ms: number, run: () => void) => () => void

/** Longest paste that is handed on, in UTF-16 units; the rest is dropped. */
const pasteLengthMax = 100_000
/** Longest string of a reply (OSC, DCS) that is waited for. */
const replyLengthMax = 4096
const escapeMs = 25

const tildeKeys: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
}
const letterKeys: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: 'begin',
  F: 'end',
  H: 'home',
  M: 'enter',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
}
const codeKeys: Readonly<Record<number, string>> = {
  9: 'tab',
  13: 'enter',
  27: 'escape',
  32: 'space',
  127: 'backspace',
}

const esc = '\u001b'
const stringReply = new RegExp(`^${esc}[\\]P_^X]([^${esc}\u0007]|${esc}(?!\\\\))*(${esc}\\\\|\u0007)`)
const csiPattern = new RegExp(`^${esc}\\[([<?>=]?)([\\d;:]*)([ -/]*)([@-~])`)

/** Decodes one terminal's input. `push` bytes as they come; events are delivered in order, at once where they are certain. */
export class KeyDecoder {
  readonly #emit: (event: InputEvent) => void
  readonly #setTimer: SetTimer
  readonly #utf8 = new StringDecoder('utf8')
  #pending = ''
  #paste: string | null = null
  #stopTimer: (() => void) | null = null

  constructor(emit: (event: InputEvent) => void, setTimer: SetTimer) {
    this.#emit = emit
    this.#setTimer = setTimer
  }

  push(chunk: Uint8Array | string): void {
    this.#pending += typeof chunk === 'string' ? chunk : this.#utf8.write(Buffer.from(chunk))
    this.close()
    this.#run(false)
    if (this.#pending !== '' && this.#paste === null) this.#stopTimer = this.#setTimer(escapeMs, () => this.#run(true))
  }

  /** Stops the timer; what waits is forgotten by nobody but a decoder that is not used again. */
  close(): void {
    this.#stopTimer?.()
    this.#stopTimer = null
  }

  /** Consumes what is certain, or everything when `isFinal`. */
  #run(isFinal: boolean): void {
    let at = 0
    const text = this.#pending
    while (at < text.length) {
      const used = this.#paste === null ? this.#step(text, at, isFinal) : this.#pasteStep(text, at)
      if (used === 0) break
      at += used
    }
    this.#pending = text.slice(at)
  }

  /** Consumes one event at `at` and returns its length, or 0 when more input has to come first. */
  #step(text: string, at: number, isFinal: boolean): number {
    if (text[at] !== esc) return this.#character(text, at, false)
    const next = text[at + 1]
    if (next === undefined) return isFinal ? this.#key(1, 'escape') : 0
    if (next === '[' || next === 'O' || ']P_^X'.includes(next)) {
      const used = this.#sequence(text.slice(at, at + replyLengthMax), isFinal)
      if (used !== null) return used
    }
    if (next === esc) return this.#key(1, 'escape')
    return 1 + this.#character(text, at + 1, true)
  }

  /** An escape sequence at the start of `text`: its length, 0 to wait for more, null when it is none. */
  #sequence(text: string, isFinal: boolean): number | null {
    const kind = text[1]
    if (kind === 'O') {
      const name = text[2]
      if (name === undefined) return isFinal ? null : 0
      const key = letterKeys[name]
      return key === undefined ? null : this.#key(3, key)
    }
    if (kind !== '[') {
      const reply = stringReply.exec(text)?.[0]
      if (reply !== undefined) return this.#send(reply.length, { type: 'reply', raw: reply })
      return isFinal || text.length >= replyLengthMax ? null : 0
    }
    if (text[2] === 'M') return this.#x10Mouse(text, isFinal)
    const csi = csiPattern.exec(text)
    if (csi !== null) return this.#csi(csi[0], { prefix: csi[1] ?? '', params: csi[2] ?? '', final: csi[4] ?? '' })
    const couldGrow = /^.\[[<?>=]?[\d;:]*[ -/]*$/s.test(text)
    return couldGrow && !isFinal ? 0 : null
  }

  #csi(raw: string, { prefix, params, final }: { prefix: string; params: string; final: string }): number {
    const length = raw.length
    const [first = '', second = '', third = ''] = params.split(';')
    if (prefix === '<' && (final === 'M' || final === 'm')) {
      const code = Number(first)
      return this.#send(length, {
        type: 'pointer',
        kind: pointerKind(code, final === 'm'),
        button: code & 3,
        x: Math.max(0, Number(second) - 1),
        y: Math.max(0, Number(third) - 1),
      })
    }
    if (prefix !== '') return this.#send(length, { type: 'reply', raw })
    if (params === '' && (final === 'I' || final === 'O'))
      return this.#send(length, { type: 'focus', hasFocus: final === 'I' })
    if (final === '~' && first === '200') {
      this.#paste = ''
      return length
    }
    if (final === '~' && first === '27') return this.#codeKey(length, Number(third), Number(second))
    if (final === '~' && tildeKeys[first] !== undefined)
      return this.#key(length, withModifiers(tildeKeys[first] ?? '', Number(second || 1)))
    if (final === 'u') {
      const [modifiers = '1', event = '1'] = second.split(':')
      if (event === '3') return length
      return this.#codeKey(length, Number(first.split(':')[0]), Number(modifiers || 1))
    }
    if (final === 'Z') return this.#key(length, 'S-tab')
    const name = letterKeys[final]
    if (name !== undefined) return this.#key(length, withModifiers(name, Number((second || '1').split(':')[0])))
    return this.#send(length, { type: 'reply', raw })
  }

  /** A key given by its code point (kitty's and xterm's own protocols). */
  #codeKey(length: number, code: number, modifiers: number): number {
    if (!Number.isInteger(code) || code <= 0 || code > 0x10ffff) return length
    if (code >= 57_364 && code <= 57_375) return this.#key(length, withModifiers(`f${code - 57_363}`, modifiers))
    const named = codeKeys[code]
    if (named !== undefined)
      return this.#key(length, withModifiers(named, modifiers), named === 'space' && modifiers <= 1 ? ' ' : null)
    const bits = modifiers - 1
    const isTyped = (bits & 6) === 0
    const character = String.fromCodePoint(code)
    const shifted = (bits & 1) !== 0 ? character.toUpperCase() : character
    if (isTyped) return this.#key(length, shifted, /\p{C}/u.test(shifted) ? null : shifted)
    return this.#key(length, withModifiers(character, modifiers))
  }

  #x10Mouse(text: string, isFinal: boolean): number | null {
    if (text.length < 6) return isFinal ? null : 0
    const code = text.charCodeAt(3) - 32
    return this.#send(6, {
      type: 'pointer',
      kind: pointerKind(code, (code & 3) === 3 && (code & 64) === 0),
      button: code & 3,
      x: Math.max(0, text.charCodeAt(4) - 33),
      y: Math.max(0, text.charCodeAt(5) - 33),
    })
  }

  #pasteStep(text: string, at: number): number {
    const end = text.indexOf(`${esc}[201~`, at)
    const pasted = this.#paste ?? ''
    const keep = (part: string) => (pasted + part).slice(0, pasteLengthMax)
    if (end < 0) {
      // The last five units could be the start of the end mark.
      const used = Math.max(0, text.length - at - 5)
      this.#paste = keep(text.slice(at, at + used))
      return used
    }
    this.#paste = null
    return this.#send(end - at + 6, { type: 'paste', text: keep(text.slice(at, end)) })
  }

  #character(text: string, at: number, isAlt: boolean): number {
    const code = text.codePointAt(at) ?? 0
    const character = String.fromCodePoint(code)
    const alt = isAlt ? 'M-' : ''
    const named = codeKeys[code]
    if (code === 32) return this.#key(1, `${alt}space`, isAlt ? null : ' ')
    if (named !== undefined) return this.#key(1, `${alt}${named}`)
    if (code === 8) return this.#key(1, `${alt}backspace`)
    if (code === 10) return this.#key(1, `C-${alt}j`)
    if (code === 0) return this.#key(1, `C-${alt}space`)
    if (code < 27) return this.#key(1, `C-${alt}${String.fromCharCode(96 + code)}`)
    if (code < 32) return this.#key(1, `C-${alt}${String.fromCharCode(64 + code).toLowerCase()}`)
    if (code >= 0x7f && code <= 0x9f) return 1
    return this.#key(character.length, `${alt}${character}`, isAlt ? null : character)
  }

  #key(length: number, key: string, text: string | null = null): number {
    return this.#send(length, { type: 'key', key, text })
  }

  #send(length: number, event: InputEvent): number {
    this.#emit(event)
    return length
  }
}

function pointerKind(code: number, isRelease: boolean): PointerKind {
  if ((code & 64) !== 0) return (code & 1) === 0 ? 'wheelUp' : 'wheelDown'
  if ((code & 32) !== 0) return 'move'
  return isRelease ? 'release' : 'press'
}

/** The name with the modifiers of a CSI parameter: 1 + shift 1, alt 2, ctrl 4. */
function withModifiers(name: string, parameter: number): string {
  const bits = Math.max(0, parameter - 1)
  return `${bits & 4 ? 'C-' : ''}${bits & 2 ? 'M-' : ''}${bits & 1 ? 'S-' : ''}${name}`
}
