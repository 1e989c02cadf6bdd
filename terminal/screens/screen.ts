import type { KnownSubject } from '../command/completion.ts'
import type { FunctionName } from '../command/functions.ts'
import type { Command } from '../command/grammar.ts'
import type { Subject } from '../command/subject.ts'
import type { ExportedList, ExportFormat } from '../export/export-list.ts'
import type { AnswerFile, OfferedFile } from '../export/save-download.ts'
import type { ActionContext, ActionName } from '../keys/actions.ts'
import type { Account } from '../net/account.ts'
import type { HttpClient, HttpResult } from '../net/http-client.ts'
import type { PictureQuery, ReadPictures } from '../net/picture-client.ts'
import type { ReadResult, ResultId, ResultRuns } from '../net/query-results.ts'
import type { ReadResource, ResourceQuery } from '../net/resource-client.ts'
import type { AnyLiveQuery, LiveState, ReadLive, ReadLiveSql } from '../state/live-data.ts'
import type { SqlDesk } from '../state/sql-desk.ts'
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
  liveSql: ReadLiveSql
  /** For whoever only wants to know how a query is doing. */
  liveAny: (query: AnyLiveQuery) => LiveState
  resource: ReadResource
  pictures: ReadPictures
  /** A result that the screen has named in `results`. */
  result: ReadResult
  /** What is kept of the SQL of whoever uses the terminal. */
  desk: SqlDesk
  /** The server's http address, without a slash at the end. */
  serverUrl: string
  /** Wall clock, epoch milliseconds: for flashes and ages of the connection. */
  nowMs: number
  /** Data time, epoch milliseconds: what "now" is for windows and ages of data. */
  dataNowMs: number
  /** The pane has the focus. */
  isFocused: boolean
  /** Pictures can be saved as PNG here. */
  hasPng: boolean
}

/** A drawing that can be saved. */
export interface Picture {
  /** What the file is named for. */
  title: string
  svg: string
}

/** An action that a key, the palette or the mouse asks for. */
export interface ActionCall {
  name: ActionName
  /** The text of `filter.text` and `form.text`. */
  text?: string
  /** What `answer` brings: the result of the work that `ask` was given under this tag. */
  answer?: { tag: string; result: HttpResult }
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
  /** Whose session it is; null where the terminal belongs to its own server. */
  account: Account | null
  /** Waits for something; this screen then gets the action `answer`, wherever it stands by then. */
  ask(tag: string, work: Promise<HttpResult>): void
  /** Asks again for the resources whose path starts so. */
  refresh(path: string): void
  /** Opens an address in the system's browser; false when there is none here (over SSH, without a screen). */
  openBrowser(url: string): Promise<boolean>
  /** Downloads a file into the terminal's working folder, never over another one, and says how it goes. */
  download(file: OfferedFile): void
  /** Runs SQL, with results that are kept outside of memory. */
  results: ResultRuns
  /** Saves the answer to a request as a new file in the terminal's working folder, and says how it goes. */
  saveAnswer(file: AnswerFile): void
  /** Saves what the screen's `list` gives, as `e` and `E` do. */
  exportRows(format: ExportFormat): void
  /** Saves a picture as a new file, and says where it lies. */
  savePicture(picture: Picture, format: 'svg' | 'png'): void
  /** Puts a text on the clipboard; `name` is what the status line calls it, e.g. "the key". */
  copy(text: string, name: string): void
}

/** A text that is typed into. Characters are typed; other keys are looked for in these contexts, then in `global`. */
export interface TypingMode {
  contexts: readonly ActionContext[]
  /** The most needed keys, for the command line's place. */
  hint: string
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
  /** Live queries that the screen shows; the session subscribes to exactly these. Which they are may depend on resources. */
  queries(state: S, read: ReadResource): readonly AnyLiveQuery[]
  /** Resources that the screen shows; they are asked for while it is visible. Which they are may depend on what others said. */
  resources?(state: S, read: ReadResource): readonly ResourceQuery[]
  /** Pictures that the screen shows at this size; they are fetched while it is visible. */
  pictures?(state: S, view: ScreenView): readonly PictureQuery[]
  /** Results of SQL that the state holds: they are kept for as long as a screen in any pane names them. */
  results?(state: S): readonly ResultId[]
  /** Whether what is drawn changes by time alone: it is then drawn again and again. */
  isMoving?(state: S): boolean
  /** After how many milliseconds a visible screen gets the action `tick`, again and again; null for never. */
  tickMs?(state: S, read: ReadResource): number | null
  /** Whether the screen takes the whole window while it has the focus, whatever other panes are open. */
  isWhole?(state: S): boolean
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
  /** The screen as a drawing that can be handed on; null while there is nothing to draw. */
  picture?(state: S, view: ScreenView): Picture | null
  /** Rows that the command line can complete. */
  known?(state: S, view: ScreenView): readonly KnownSubject[]
  /** Whether keys type into a form of the screen: it then gets `form.*`, `input.*` and `form.text`. */
  isTyping?(state: S): boolean
  /** Whether the form holds something that is not shown as it is typed, e.g. a password. */
  hasSecret?(state: S): boolean
  /** Where else than in a form keys type into: contexts that are looked at first, and a line about the keys. */
  typing?(state: S): TypingMode | null
  /** Where the cursor stands in the body; null where nothing is typed. */
  cursor?(state: S, view: ScreenView): { x: number; y: number } | null
  /** What a screen reader says of the present field. */
  spoken?(state: S, view: ScreenView): string
  /** The text that `y` copies. */
  copyText?(state: S, view: ScreenView): string
  /** What the status line calls the copied text, where it must not be printed there, e.g. "the key". */
  copyName?(state: S): string | null
  /** The filter text, where the screen has one: shown when the filter line opens. */
  filterText?(state: S): string
}

/** A screen with its state, the type of which nobody else needs to know. */
export interface OpenScreen {
  /** The same for all states of one opened screen. */
  id: symbol
  fn: FunctionName
  contexts: readonly ActionContext[]
  title(): string
  /** Without `read`, as while no resource has come. */
  queries(read?: ReadResource): readonly AnyLiveQuery[]
  resources(read: ReadResource): readonly ResourceQuery[]
  pictures(view: ScreenView): readonly PictureQuery[]
  results(): readonly ResultId[]
  isMoving(): boolean
  tickMs(read: ReadResource): number | null
  isWhole(): boolean
  draw(view: ScreenView): string[]
  /** The screen after the action (itself when nothing changed), or null when it does not know the action. */
  act(call: ActionCall, deps: ScreenDeps): OpenScreen | null
  subject(view: ScreenView): Subject | null
  follow(subject: Subject): OpenScreen | null
  list(view: ScreenView): Omit<ExportedList, 'notice'> | null
  picture(view: ScreenView): Picture | null
  known(view: ScreenView): readonly KnownSubject[]
  copyText(view: ScreenView): string
  copyName(): string | null
  filterText(): string | null
  isTyping(): boolean
  hasSecret(): boolean
  typing(): TypingMode | null
  cursor(view: ScreenView): { x: number; y: number } | null
  spoken(view: ScreenView): string
  /** Another screen in the same state, for another pane. */
  fork(): OpenScreen
  /** Another screen as the same command opens it, without anything that was seen or done since. */
  reopen(): OpenScreen
}

/** What the registry holds for a function. */
export interface ScreenFactory {
  fn: FunctionName
  open(command: Command): OpenScreen
}

/** Makes a screen's spec into what the registry holds. */
export function screenFactory<S>(spec: ScreenSpec<S>): ScreenFactory {
  return { fn: spec.fn, open: command => openScreen(spec, spec.open(command), { id: Symbol(spec.fn), command }) }
}

/** Every resource as it is before its first answer. */
export const nothingRead: ReadResource = () => ({ status: 'loading', body: null, message: '' })

/** What all states of one opened screen share. */
interface Opened {
  id: symbol
  command: Command
}

function openScreen<S>(spec: ScreenSpec<S>, state: S, opened: Opened): OpenScreen {
  const self: OpenScreen = {
    id: opened.id,
    fn: spec.fn,
    contexts: spec.contexts,
    title: () => spec.title(state),
    queries: (read = nothingRead) => spec.queries(state, read),
    resources: read => spec.resources?.(state, read) ?? [],
    pictures: view => spec.pictures?.(state, view) ?? [],
    results: () => spec.results?.(state) ?? [],
    isMoving: () => spec.isMoving?.(state) ?? false,
    tickMs: read => spec.tickMs?.(state, read) ?? null,
    isWhole: () => spec.isWhole?.(state) ?? false,
    draw: view => spec.draw(state, view),
    act(call, deps) {
      const next = spec.act(state, call, deps)
      if (next === null) return null
      return next === state ? self : openScreen(spec, next, opened)
    },
    subject: view => spec.subject?.(state, view) ?? null,
    follow(subject) {
      const next = spec.follow?.(state, subject) ?? null
      return next === null ? null : openScreen(spec, next, opened)
    },
    list: view => spec.list?.(state, view) ?? null,
    picture: view => spec.picture?.(state, view) ?? null,
    known: view => spec.known?.(state, view) ?? [],
    copyText: view => spec.copyText?.(state, view) ?? '',
    copyName: () => spec.copyName?.(state) ?? null,
    filterText: () => spec.filterText?.(state) ?? null,
    isTyping: () => spec.isTyping?.(state) ?? false,
    hasSecret: () => spec.hasSecret?.(state) ?? false,
    typing: () => spec.typing?.(state) ?? null,
    cursor: view => spec.cursor?.(state, view) ?? null,
    spoken: view => spec.spoken?.(state, view) ?? '',
    fork: () => openScreen(spec, state, { ...opened, id: Symbol(spec.fn) }),
    reopen: () => openScreen(spec, spec.open(opened.command), { ...opened, id: Symbol(spec.fn) }),
  }
  return self
}
