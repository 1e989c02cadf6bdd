import type { KnownSubject } from '../command/completion.ts'
import type { FunctionName } from '../command/functions.ts'
import type { Command } from '../command/grammar.ts'
import type { Subject } from '../command/subject.ts'
import type { ExportedList } from '../export/export-list.ts'
import type { ActionContext, ActionName } from '../keys/actions.ts'
import type { HttpClient } from '../net/http-client.ts'
import type { LiveQuery, ReadLive } from '../state/live-data.ts'
import type { Style } from '../theme/style.ts'

// A screen is a value: its state, which live queries that state needs, how it is drawn and what an action makes of it.
// It knows nothing of React, sockets or keys, so that one session can be drawn for several viewers of different sizes, and a
// test needs nothing but data. A screen is written as a `ScreenSpec<S>` and registered in `registry.ts`; the session holds
// it as an `OpenScreen`, which hides the type of its state.

/** What a screen may read while it draws or acts. */
export interface ScreenView {
  /** Cells for the body; the pane draws its own title line above. */
  width: number
  height: number
  style: Style
  live: ReadLive
  /** Wall clock, epoch milliseconds: for flashes and ages of the connection. */
  nowMs: number
  /** Data time, epoch milliseconds: what "now" is for windows and ages of data. */
  dataNowMs: number
  /** The pane has the focus. */
  isFocused: boolean
}

/** An action that a key, the palette or the mouse asks for. */
export interface ActionCall {
  name: ActionName
  /** The text of `filter.text`. */
  text?: string
  /** The cell of `pointer.*`, counted from the top left of the body. */
  at?: { x: number; y: number }
}

/** What an action of a screen may do beside changing the screen's own state. */
export interface ScreenDeps extends ScreenView {
  /** Runs a command as if it had been typed in this pane. */
  run(command: string): void
  /** Shows a sentence in the status line. */
  say(message: string): void
  /** The server, asked with the session's token. */
  http: HttpClient
}

/** How one function's screen works. `S` is its state: plain data, replaced and never changed in place. */
export interface ScreenSpec<S> {
  fn: FunctionName
  /** Which key tables hold beside `global`, the first one first. */
  contexts: readonly ActionContext[]
  /** The state that a command opens. Subjects of type `search` have been resolved by the session where the function needs one. */
  open(command: Command): S
  /** The command that opens this screen again; shown in the pane's title, e.g. `TOP CLIPS 24H`. */
  title(state: S): string
  /** Live queries that the screen shows; the session subscribes to exactly these. */
  queries(state: S): readonly LiveQuery[]
  /** The body: exactly `view.height` lines of exactly `view.width` cells. Called at most once a frame; must not change anything. */
  draw(state: S, view: ScreenView): string[]
  /** The state after an action, or null when the screen does not know it. */
  act(state: S, call: ActionCall, deps: ScreenDeps): S | null
  /** What the selected row (or the screen itself) is about: commands without a subject and linked panes use it. */
  subject?(state: S, view: ScreenView): Subject | null
  /** The state that shows another subject, for a linked pane; null when the screen has none. */
  follow?(state: S, subject: Subject): S | null
  /** What `e` and `E` export. */
  list?(state: S, view: ScreenView): Omit<ExportedList, 'notice'> | null
  /** Rows that the command line can complete. */
  known?(state: S, view: ScreenView): readonly KnownSubject[]
  /** The text that `y` copies. */
  copyText?(state: S, view: ScreenView): string
  /** The filter text, where the screen has one: shown when the filter line opens. */
  filterText?(state: S): string
}

/** A screen with its state, the type of which nobody else needs to know. */
export interface OpenScreen {
  fn: FunctionName
  contexts: readonly ActionContext[]
  title(): string
  queries(): readonly LiveQuery[]
  draw(view: ScreenView): string[]
  /** The screen after the action (itself when nothing changed), or null when it does not know the action. */
  act(call: ActionCall, deps: ScreenDeps): OpenScreen | null
  subject(view: ScreenView): Subject | null
  follow(subject: Subject): OpenScreen | null
  list(view: ScreenView): Omit<ExportedList, 'notice'> | null
  known(view: ScreenView): readonly KnownSubject[]
  copyText(view: ScreenView): string
  filterText(): string | null
}

/** What the registry holds for a function. */
export interface ScreenFactory {
  fn: FunctionName
  open(command: Command): OpenScreen
}

/** Makes a screen's spec into what the registry holds. */
export function screenFactory<S>(spec: ScreenSpec<S>): ScreenFactory {
  return { fn: spec.fn, open: command => openScreen(spec, spec.open(command)) }
}

function openScreen<S>(spec: ScreenSpec<S>, state: S): OpenScreen {
  const self: OpenScreen = {
    fn: spec.fn,
    contexts: spec.contexts,
    title: () => spec.title(state),
    queries: () => spec.queries(state),
    draw: view => spec.draw(state, view),
    act(call, deps) {
      const next = spec.act(state, call, deps)
      if (next === null) return null
      return next === state ? self : openScreen(spec, next)
    },
    subject: view => spec.subject?.(state, view) ?? null,
    follow(subject) {
      const next = spec.follow?.(state, subject) ?? null
      return next === null ? null : openScreen(spec, next)
    },
    list: view => spec.list?.(state, view) ?? null,
    known: view => spec.known?.(state, view) ?? [],
    copyText: view => spec.copyText?.(state, view) ?? '',
    filterText: () => spec.filterText?.(state) ?? null,
  }
  return self
}
