import { AlertFiredSchema } from '../../contracts/alerts.ts'
import type { WorldStatus } from '../../contracts/ws.ts'
import { type Completion, completeCommand, type KnownSubject } from '../command/completion.ts'
import { beginsFunction, type FunctionName, functionSpec } from '../command/functions.ts'
import { type Command, parseCommand } from '../command/grammar.ts'
import { openHistory } from '../command/history.ts'
import { formatSubject, formatSubjects, parseSubjects, type Subject } from '../command/subject.ts'
import { type ExportFormat, exportList, type SaveFile } from '../export/export-list.ts'
import { saveAnswer, saveDownload } from '../export/save-download.ts'
import { type RenderPng, savePicture } from '../export/save-picture.ts'
import { type Action, type ActionContext, type ActionName, actions, findAction } from '../keys/actions.ts'
import type { InputEvent, SetTimer } from '../keys/decoder.ts'
import { createKeymap, type Keymap } from '../keys/keymap.ts'
import { type Layout, layoutOf, type PaneRect, panesMax, type Size } from '../layout/layout.ts'
import type { Account } from '../net/account.ts'
import { findCreator } from '../net/find-creator.ts'
import type { HttpClient, HttpResult } from '../net/http-client.ts'
import type { LiveClient } from '../net/live-client.ts'
import { PictureClient } from '../net/picture-client.ts'
import { QueryResults } from '../net/query-results.ts'
import { type ReadResource, ResourceClient } from '../net/resource-client.ts'
import { alertsResource } from '../screens/alert-resources.ts'
import { findScreen } from '../screens/registry.ts'
import { type ActionCall, nothingRead, type OpenScreen, type ScreenDeps, type ScreenView } from '../screens/screen.ts'
import { clean } from '../text/clean.ts'
import type { ColorDepth, Style } from '../theme/style.ts'
import { findTheme, type ThemeName, themeNames } from '../theme/themes.ts'
import { type Candidate, editInput, type InputLine, openInput, replaceText, typeText } from './input-line.ts'
import type { LiveQuery } from './live-data.ts'
import {
  bellModes,
  loadPreferences,
  type PictureMode,
  type Preferences,
  type PreferencesPort,
  pictureModes,
} from './preferences.ts'
import { type SqlDeskPort, SqlDesks } from './sql-desk.ts'
import { watchSubject } from './watch-subject.ts'

// Everything that a terminal session is, without a pixel: panes with their stacks of screens, what is being typed, the
// message of the moment, preferences. It turns input events into actions and actions into new state; whoever draws it (one
// local window, or several of different sizes) reads it and is told when to draw: `now` after input, `soon` after data.

/** One pane: the screens one has come through, the last one on top. A linked pane follows the selection of the others. */
export interface Pane {
  id: number
  stack: readonly OpenScreen[]
  isLinked: boolean
}

export interface Message {
  text: string
  kind: 'info' | 'error'
}

/** What is drawn. Replaced as a whole with every change. */
export interface SessionState {
  panes: readonly Pane[]
  focused: number
  input: InputLine | null
  message: Message | null
  /** The last key that did something, and what it did. */
  lastKey: { key: string; title: string } | null
  themeName: ThemeName
  /** Corrects the viewers' colour depth; null leaves it. */
  depth: ColorDepth | null
  pictures: PictureMode
  isMouseOn: boolean
  /** What an alert has just told; it stands out for a moment. */
  alert: string | null
}

export interface SessionDeps {
  live: LiveClient
  http: HttpClient
  /** Who is signed in to a remote server; null where the terminal belongs to its own server. */
  account: Account | null
  preferences: PreferencesPort
  sqlDesk: SqlDeskPort
  saveFile: SaveFile
  /** Makes a PNG of an SVG; without it pictures are saved as SVG alone. */
  renderPng?: RenderPng
  /** Puts a text on the clipboard of whoever drives; false when the terminal has none. */
  copy(text: string): boolean
  /** Rings, and notifies the desktop where there is a text. */
  ring(notification: string | null): void
  /** Opens an address in the system's browser; false when there is none here. */
  openBrowser(url: string): Promise<boolean>
  setTimer: SetTimer
  nowMs(): number
  /** A theme that the environment asks for instead of the remembered one. */
  theme: string | null
  onQuit(): void
  /** Sends every line again. */
  onRepaint(): void
}

export const worldQuery: LiveQuery<'world'> = { name: 'world', params: {} }
export const tapeQuery: LiveQuery<'movers'> = { name: 'movers', params: { type: 'clips', period: '24h', limit: 20 } }

interface ListedCandidate extends Candidate {
  completion?: Completion
  action?: ActionName
}

const quitWithinMs = 3_000
const messageMs = 8_000
/** How long an alert stands out. */
const alertMs = 3_000
/** Letters of a command that is being typed follow each other so soon. */
const nextLetterMs = 700
const pictureTitles: Readonly<Record<PictureMode, string>> = {
  auto: 'Pictures are images where the terminal says that it shows them, else blocks.',
  blocks: 'Pictures are drawn in blocks of two pixels.',
  kitty: 'Pictures are sent as images: PICTURES BLOCKS if you see boxes instead.',
}
const followAfterMs = 120
const movingMs = 80
/** What can be done while nobody is signed in. */
const openFunctions: readonly FunctionName[] = [
  'LOGIN',
  'REGISTER',
  'HELP',
  'THEME',
  'COLOR',
  'PICTURES',
  'MOUSE',
  'QUIT',
]
const candidatesMax = 50

/** Starts with the default panes; `command` replaces what the first one shows. */
export class Session {
  readonly keymap: Keymap
  readonly resources: ResourceClient
  readonly pictures: PictureClient
  readonly results: QueryResults
  readonly #desks: SqlDesks
  readonly #deps: SessionDeps
  readonly #listeners = new Set<(urgency: 'now' | 'soon') => void>()
  readonly #history: ReturnType<typeof openHistory>
  #preferences: Preferences
  #state: SessionState
  #sizes: readonly Size[] = [{ columns: 80, rows: 24 }]
  #style: Style | null = null
  #nextPaneId = 4
  #quitUntilMs = 0
  /** What stood before a capital letter did something: it may have been the first of a command. */
  #capital: { letter: string; untilMs: number; before: Pick<SessionState, 'panes' | 'focused'> } | null = null
  #stopMessage: (() => void) | null = null
  #stopAlert: (() => void) | null = null
  #stopFollow: (() => void) | null = null
  #stopMoving: (() => void) | null = null
  /** Of each screen that waits for its next tick, what ends that. */
  readonly #ticking = new Map<symbol, () => void>()
  /** Ends what outlives the screen that began it. */
  readonly #leaving = new AbortController()
  readonly #stopAccount: () => void
  /** The panes as they were when the session ended: they come back with the next sign-in. Null while somebody is signed in. */
  #shutPanes: Pick<SessionState, 'panes' | 'focused'> | null = null
  #candidates: { for: InputLine; list: readonly ListedCandidate[] } | null = null
  #world: { status: WorldStatus; atMs: number } | null = null

  constructor(deps: SessionDeps, command: string | null) {
    this.#deps = deps
    this.resources = new ResourceClient(deps, () => {
      this.#want()
      this.#notify('soon')
    })
    this.pictures = new PictureClient(deps, () => this.#notify('soon'))
    this.results = new QueryResults(deps, () => this.#notify('soon'))
    this.#desks = new SqlDesks(deps.sqlDesk, deps.setTimer)
    this.#stopAccount = deps.account?.subscribe(() => this.#accountChanged()) ?? (() => {})
    this.#preferences = loadPreferences(deps.preferences)
    this.keymap = createKeymap(this.#preferences.keys)
    this.#history = openHistory({
      load: () => this.#preferences.history,
      save: commands => this.#remember({ history: [...commands] }),
    })
    const theme = deps.theme === null ? null : findTheme(deps.theme)
    this.#state = {
      panes: [
        { id: 1, stack: [openFunction('TOP')], isLinked: false },
        { id: 2, stack: [openFunction('GP')], isLinked: true },
        { id: 3, stack: [openFunction('MOV')], isLinked: false },
      ],
      focused: 0,
      input: null,
      message: null,
      lastKey: null,
      themeName: theme?.name ?? this.#preferences.theme ?? 'amber',
      depth: this.#preferences.depth,
      pictures: this.#preferences.pictures,
      isMouseOn: this.#preferences.isMouseOn,
      alert: null,
    }
    if (deps.theme !== null && theme === null)
      this.say(`There is no theme ${clean(deps.theme)}; there are ${themeNames.join(', ')}.`, 'error')
    const problem = this.keymap.problems[0]
    if (problem !== undefined) this.say(problem, 'error')
    if (command !== null) this.run(command)
    this.#want()
    this.#accountChanged()
  }

  get state(): SessionState {
    return this.#state
  }

  /** Is told after every change. Returns what ends it. */
  subscribe(listener: (urgency: 'now' | 'soon') => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The sizes of all viewers, the driver's first, and the driver's style: decides which panes are shown and subscribed. */
  setViewers(sizes: readonly Size[], style: Style): void {
    this.#sizes = sizes
    this.#style = style
    this.#want()
  }

  /** Data or the connection have changed. */
  liveChanged(): void {
    const world = this.#deps.live.read(worldQuery).rows[0]
    if (world !== undefined && world !== this.#world?.status) this.#world = { status: world, atMs: this.#deps.nowMs() }
    this.#candidates = null
    if (this.#hasUnfollowed()) this.#followSoon()
    this.#notify('soon')
  }

  /** Something happened on the server. */
  eventCame(topic: string, payload: unknown): void {
    if (topic !== 'alert.fired') return
    const fired = AlertFiredSchema.safeParse(payload)
    if (!fired.success) return
    const text = `${fired.data.sentence} (${fired.data.name})`
    this.resources.refresh('/api/alerts')
    this.say(text)
    const { bell } = this.#preferences
    if (bell === 'off') return
    this.#stopAlert?.()
    this.#stopAlert = this.#deps.setTimer(alertMs, () => this.#set({ alert: null }))
    this.#set({ alert: text })
    this.#deps.ring(bell === 'notify' ? text : null)
  }

  /** Firings that nobody has looked at, as far as is known. */
  get unseenAlerts(): number {
    const { body } = this.resources.read(alertsResource)
    return (body?.data ?? []).reduce((sum, alert) => sum + alert.unseenCount, 0)
  }

  /** What the server says that the numbers are; null before it has. */
  get world(): WorldStatus | null {
    return this.#world?.status ?? null
  }

  /** Data time now: the server's clock, moved on since it was last heard of. */
  dataNowMs(): number {
    if (this.#world === null) return this.#deps.nowMs()
    const { status, atMs } = this.#world
    const heardMs = Date.parse(status.now)
    return Number.isNaN(heardMs) ? this.#deps.nowMs() : heardMs + (this.#deps.nowMs() - atMs) * status.speed
  }

  /** One event of the driver's terminal. */
  handle(event: InputEvent): void {
    if (event.type === 'key') this.#key(event.key, event.text)
    else if (event.type === 'paste') this.#paste(event.text)
    else if (event.type === 'pointer') this.#pointer(event)
  }

  /** Runs a command as if it had been typed in the focused pane. Returns whether it was understood. */
  run(text: string): boolean {
    const parsed = parseCommand(text, { focusedSubject: this.#focusedSubject() })
    if (!parsed.ok) {
      this.say(parsed.message, 'error')
      return false
    }
    this.#execute(parsed.command)
    return true
  }

  /** Does what an action says. */
  perform(name: ActionName): void {
    if (name !== 'quit') this.#quitUntilMs = 0
    switch (name) {
      case 'command.open':
        return this.#set({ input: openInput('command') })
      case 'filter.open':
        return this.#openFilter()
      case 'help.keys':
        return this.#set({ input: openInput('keys') })
      case 'help.functions':
        return this.#execute({ fn: 'HELP', subject: null, args: {} })
      case 'back':
        return this.#back()
      case 'pane.next':
        return this.#focus((this.#state.focused + 1) % this.#state.panes.length)
      case 'pane.previous':
        return this.#focus((this.#state.focused + this.#state.panes.length - 1) % this.#state.panes.length)
      case 'pane.1':
      case 'pane.2':
      case 'pane.3':
        return this.#focus(Number(name.slice(-1)) - 1)
      case 'pane.split':
        return this.#split()
      case 'pane.close':
        return this.#closePane()
      case 'pane.link':
        return this.#link()
      case 'export.csv':
      case 'export.json':
        if (!this.#act({ name })) this.#export(name === 'export.csv' ? 'csv' : 'json')
        return
      case 'copy':
        return this.#copy()
      case 'alert.new':
        return this.#runOnSubject('ALRT NEW')
      case 'watch.add':
        return this.#runOnSubject('WL ADD')
      case 'theme.next':
        return this.#setTheme(nextTheme(this.#state.themeName))
      case 'mouse.toggle':
        return this.#setMouse(!this.#state.isMouseOn)
      case 'repaint':
        this.#deps.live.retryNow()
        return this.#deps.onRepaint()
      case 'quit':
        return this.#quit()
      default:
        this.#act({ name })
    }
  }

  /** Shows a sentence in the status line for a while. */
  say(text: string, kind: Message['kind'] = 'info'): void {
    this.#stopMessage?.()
    this.#stopMessage = this.#deps.setTimer(messageMs, () => this.#set({ message: null }))
    this.#set({ message: { text: clean(text), kind } })
  }

  /** The lines above the input line: completions, past commands, or actions; empty when nothing is typed. */
  candidates(): readonly Candidate[] {
    return this.#state.input === null ? [] : this.#candidatesOf(this.#state.input)
  }

  /** Where panes are in a window of this size. */
  layout(size: Size): Layout {
    const { panes, focused } = this.#state
    return layoutOf(size, { count: panes.length, focused, isWhole: this.#screen()?.isWhole() ?? false })
  }

  /** The view of a pane for drawing and acting. `rect` counts the pane's title line. */
  viewOf(rect: PaneRect, style: Style): ScreenView {
    return {
      width: rect.width,
      height: Math.max(0, rect.height - 1),
      style,
      live: query => this.#deps.live.read(query),
      liveSql: query => this.#deps.live.readSql(query),
      liveAny: query => this.#deps.live.readAny(query),
      resource: query => this.resources.read(query),
      pictures: query => this.pictures.read(query),
      result: id => this.results.read(id),
      desk: this.#desks.of(this.#person()),
      serverUrl: this.#deps.http.base,
      nowMs: this.#deps.nowMs(),
      dataNowMs: this.dataNowMs(),
      isFocused: rect.paneIndex === this.#state.focused,
      hasPng: this.#deps.renderPng !== undefined,
    }
  }

  /** Ends timers. */
  close(): void {
    this.#stopMessage?.()
    this.#stopAlert?.()
    this.#stopFollow?.()
    this.#stopAccount()
    this.#stopMoving?.()
    for (const stop of this.#ticking.values()) stop()
    this.#leaving.abort()
    this.resources.close()
    this.pictures.close()
    this.results.close()
    this.#desks.close()
    this.#listeners.clear()
  }

  // Keys and typing

  #key(key: string, text: string | null): void {
    const { input } = this.#state
    if (input !== null) return this.#inputKey(input, key, text)
    if (this.#goesOnCommand(key)) return
    const screen = this.#screen()
    if (screen?.isTyping() === true) return this.#formKey(key, text, screen.typing()?.contexts ?? null)
    const name = this.keymap.find(key, [...(screen?.contexts ?? []), 'global'])
    if (name !== null) {
      if (isCapital(key)) this.#rememberCapital(key)
      if (name !== 'quit' && this.#state.message !== null) this.#set({ message: null })
      this.#set({ lastKey: { key, title: findAction(name)?.title ?? name } })
      this.perform(name)
    } else if (text !== null && text !== ' ') this.#typed(text)
    else this.#set({ lastKey: { key, title: 'does nothing here; ? shows the keys' } })
  }

  #rememberCapital(letter: string): void {
    const { panes, focused } = this.#state
    this.#capital = { letter, untilMs: this.#deps.nowMs() + nextLetterMs, before: { panes, focused } }
  }

  /**
   * Commands are typed without a colon, in capitals, and some capitals are keys. The first one does what its key does; when
   * the next one goes on with the name of a function, that is taken back and both stand in the command line.
   */
  #goesOnCommand(key: string): boolean {
    const first = this.#capital
    this.#capital = null
    if (first === null || !isCapital(key) || this.#deps.nowMs() > first.untilMs) return false
    if (!beginsFunction(first.letter + key)) return false
    this.#set({ ...first.before, message: null, lastKey: null })
    this.#want()
    this.#typed(first.letter + key)
    return true
  }

  /** Into a form or text of the screen. What it types is shown nowhere else: it may be a password. */
  #formKey(key: string, text: string | null, contexts: readonly ActionContext[] | null): void {
    const found = contexts ?? ['form', 'input']
    const name =
      text === null
        ? this.keymap.find(key, [...found, 'global'])
        : contexts === null
          ? this.keymap.find(key, found)
          : null
    if (name !== null) {
      if (name !== 'quit' && this.#state.message !== null) this.#set({ message: null })
      this.#set({ lastKey: { key, title: findAction(name)?.title ?? name } })
      this.perform(name)
    } else if (text !== null) this.#act({ name: 'form.text', text })
  }

  /** A form takes a paste as it is and cleans what it may: a password must not be changed. */
  #paste(text: string): void {
    if (this.#state.input === null && this.#screen()?.isTyping() === true) this.#act({ name: 'form.text', text })
    else this.#typed(clean(text))
  }

  /** Typing that is no key opens the command line: a command needs no colon. */
  #typed(text: string): void {
    if (text !== '') this.#edit(typeText(this.#state.input ?? openInput('command'), text))
  }

  #inputKey(input: InputLine, key: string, text: string | null): void {
    if (key === 'C-c') return input.text === '' ? this.perform('quit') : this.#set({ input: null })
    const name = this.keymap.find(key, ['input'])
    if (name === null) {
      if (text !== null) this.#typed(text)
      return
    }
    const edited = editInput(input, name)
    if (edited !== null) {
      if (name === 'input.erase' && input.text === '') this.#set({ input: null })
      else this.#edit(edited)
      return
    }
    if (name === 'input.cancel') this.#cancelInput(input)
    else if (name === 'input.submit') this.#submit(input)
    else if (name === 'input.complete') this.#complete(input)
    else if (name === 'input.search') this.#set({ input: openInput('search', input.text) })
    else if (name === 'input.older' || name === 'input.newer') this.#browse(input, name === 'input.older' ? -1 : 1)
  }

  #edit(input: InputLine): void {
    this.#history.rewind()
    this.#set({ input })
    if (input.kind === 'filter') this.#act({ name: 'filter.text', text: input.text })
  }

  #cancelInput(input: InputLine): void {
    this.#set({ input: null })
    if (input.kind === 'filter') this.#act({ name: 'filter.text', text: '' })
  }

  #submit(input: InputLine): void {
    const chosen = this.#candidatesOf(input)[input.selected]
    if (input.kind === 'filter') return this.#set({ input: null })
    if (input.kind === 'keys') {
      this.#set({ input: null })
      if (chosen?.action !== undefined) this.perform(chosen.action)
      return
    }
    if (input.kind === 'command' && chosen !== undefined) return this.#complete(input)
    const text = input.kind === 'search' ? (chosen?.label ?? '') : input.text
    if (text.trim() === '') return this.#set({ input: null })
    this.#history.add(text)
    // A command that is not understood stays, so that it can be mended.
    this.#set({ input: null, message: null })
    if (!this.run(text)) this.#set({ input: openInput('command', text) })
  }

  #complete(input: InputLine): void {
    const list = this.#candidatesOf(input)
    const completion = list[Math.max(0, input.selected)]?.completion
    if (completion !== undefined) this.#edit(replaceText(input, completion.from, completion.to, completion.insert))
  }

  /** Up and down: through past commands from an empty or recalled line, else through the candidates. */
  #browse(input: InputLine, by: -1 | 1): void {
    const isRecall = input.kind === 'command' && input.selected < 0 && by === -1
    if (isRecall) {
      const older = this.#history.older('')
      if (older !== null) this.#set({ input: { ...openInput('command', older) } })
      return
    }
    if (input.kind === 'command' && input.selected < 0 && this.#history.entries().includes(input.text)) {
      const newer = this.#history.newer('')
      return this.#set({ input: openInput('command', newer ?? '') })
    }
    const count = this.#candidatesOf(input).length
    const floor = input.kind === 'command' ? -1 : 0
    if (count > 0)
      this.#set({ input: { ...input, selected: Math.max(floor, Math.min(count - 1, input.selected + by)) } })
  }

  #candidatesOf(input: InputLine): readonly ListedCandidate[] {
    if (this.#candidates?.for === input) return this.#candidates.list
    const list = this.#listCandidates(input).slice(0, candidatesMax)
    this.#candidates = { for: input, list }
    return list
  }

  #listCandidates(input: InputLine): ListedCandidate[] {
    switch (input.kind) {
      case 'command':
        return completeCommand(input.text, input.cursor, {
          subjects: this.#knownSubjects(),
          niches: this.#knownNiches(),
        }).map(completion => ({ label: completion.label, description: completion.description, completion }))
      case 'search':
        return this.#history.search(input.text).map(label => ({ label, description: '' }))
      case 'keys':
        return this.#actionCandidates(input.text)
      case 'filter':
        return []
    }
  }

  /** Actions of the screen first, then the global ones, by title, name or key. */
  #actionCandidates(text: string): (Candidate & { action: ActionName })[] {
    const screen = this.#screen()
    const contexts = [...(screen?.typing()?.contexts ?? screen?.contexts ?? []), 'global']
    const wanted = text.toLowerCase().trim()
    const listed: readonly (Action & { name: ActionName })[] = actions
    return contexts
      .flatMap(context => listed.filter(action => action.context === context && action.isInternal !== true))
      .map(action => ({ action, keys: this.keymap.keysOf(action.name).join(' ') }))
      .filter(
        ({ action, keys }) =>
          `${action.title} ${action.name}`.toLowerCase().includes(wanted) || keys.split(' ').includes(text.trim()),
      )
      .map(({ action, keys }) => ({
        label: keys === '' ? action.name : keys,
        description: action.title,
        action: action.name,
      }))
  }

  #knownSubjects(): KnownSubject[] {
    return this.#rects().flatMap(rect => {
      const screen = this.#state.panes[rect.paneIndex]?.stack.at(-1)
      return screen === undefined || this.#style === null ? [] : [...screen.known(this.viewOf(rect, this.#style))]
    })
  }

  #knownNiches(): string[] {
    const names = new Set(this.#deps.live.read(tapeQuery).rows.flatMap(row => row.niches))
    return [...names].sort()
  }

  // The mouse

  #pointer(event: Extract<InputEvent, { type: 'pointer' }>): void {
    if (!this.#state.isMouseOn || event.kind === 'release') return
    const rect = this.#rects().find(
      each => event.x >= each.x && event.x < each.x + each.width && event.y >= each.y && event.y < each.y + each.height,
    )
    if (rect === undefined) return
    if (event.kind === 'press') this.#focus(rect.paneIndex)
    if (rect.paneIndex !== this.#state.focused) return
    const names = {
      press: 'pointer.press',
      move: 'pointer.move',
      wheelUp: 'pointer.wheelUp',
      wheelDown: 'pointer.wheelDown',
    } as const
    this.#act({ name: names[event.kind], at: { x: event.x - rect.x, y: event.y - rect.y - 1 } })
  }

  // Commands

  #execute(command: Command): void {
    if (this.#shutPanes !== null && !openFunctions.includes(command.fn))
      return this.say('Sign in first: Esc goes back to the form.', 'error')
    switch (command.fn) {
      case 'LOGIN':
      case 'REGISTER':
        return this.#openSignIn(command)
      case 'LOGOUT':
        return this.#signOut()
      case 'QUIT':
        return this.#deps.onQuit()
      case 'THEME': {
        const theme = findTheme(command.args.theme ?? '')
        return theme === null ? this.say(`Themes: ${themeNames.join(', ')}.`) : this.#setTheme(theme.name)
      }
      case 'COLOR':
        return this.#setDepth(command.args.depth)
      case 'PICTURES': {
        const mode = pictureModes.find(each => each === command.args.mode)
        return mode === undefined ? this.say('PICTURES AUTO, BLOCKS or KITTY.') : this.#setPictures(mode)
      }
      case 'MOUSE':
        return this.#setMouse(command.args.state === undefined ? !this.#state.isMouseOn : command.args.state === 'on')
      case 'BELL':
        return this.#setBell(command.args.bell)
      default:
        if (needsResolving(command)) void this.#resolveAndOpen(command)
        else this.#open(command)
    }
  }

  /** A command about the row that has the focus, wherever that is. */
  #runOnSubject(words: string): void {
    const subject = this.#focusedSubject()
    if (subject === null) this.say('Select a clip, creator or topic first.')
    else this.run(`${formatSubject(subject)} ${words}`)
  }

  #open(command: Command): void {
    const { subject } = command
    if (command.fn === 'WL' && command.args.view === 'add' && subject !== null && subject.type !== 'search')
      return this.#watch(subject, command.args.name ?? null)
    const factory = findScreen(command.fn)
    if (factory === null) return this.say(`${command.fn} has no screen.`, 'error')
    const screen = factory.open(command)
    this.#setPane(this.#state.focused, pane => ({ ...pane, stack: [...pane.stack.slice(-9), screen] }))
    this.#set({ input: null })
    this.#want()
    this.#followSoon()
  }

  /** What is on the screen stays there: one puts several rows on a list in turn. */
  #watch(subject: Exclude<Subject, { type: 'search' }>, listName: string | null): void {
    this.#set({ input: null })
    void watchSubject(this.#deps.http, subject, listName).then(
      sentence => {
        this.resources.refresh('/api/watchlists')
        this.say(sentence)
      },
      (error: unknown) => this.say(unexpected(error).message, 'error'),
    )
  }

  // Signing in and out

  /** Nobody is signed in: the form stands alone, and nothing of the last session stays on the screen or in memory. */
  #accountChanged(): void {
    const account = this.#deps.account?.state
    if (account?.status === 'signedOut' && this.#shutPanes === null) {
      const { panes, focused } = this.#state
      this.#shutPanes = { panes: panes.map(withoutAnswers), focused }
      const screen = openFunction('LOGIN')
      this.#set({ panes: [{ id: 0, stack: [screen], isLinked: false }], focused: 0, input: null })
      this.#want()
      this.#world = null
      this.#deps.live.disconnect(account.message)
    } else if (account?.status === 'signedIn' && this.#shutPanes !== null) {
      this.#set({ ...this.#shutPanes, input: null, message: null })
      this.#shutPanes = null
      this.#deps.live.retryNow()
      this.#want()
      this.say(`Signed in as ${account.email}.`)
    }
  }

  #openSignIn(command: Command): void {
    const account = this.#deps.account?.state
    if (account === undefined)
      return this.say('This terminal belongs to its own server: there is nothing to sign in to.')
    if (account.status === 'signedIn') return this.say(`You are signed in as ${account.email}; LOGOUT signs you out.`)
    this.#open(command)
  }

  #signOut(): void {
    const { account } = this.#deps
    if (account === null) return this.say('This terminal belongs to its own server: there is nothing to sign out of.')
    this.say('Signing out…')
    account.signOut().catch((error: unknown) => this.say(unexpected(error).message, 'error'))
  }

  /** Names (`@mrbeast`) become ids: from rows on the screen, else by asking the server. */
  async #resolveAndOpen(command: Command): Promise<void> {
    const pane = this.#state.panes[this.#state.focused]?.id
    this.say('Looking for that name…')
    const subject = command.subject === null ? null : await this.#resolve(command.subject)
    if (typeof subject === 'string') return this.say(subject, 'error')
    const others =
      command.args.vs === undefined
        ? []
        : await Promise.all(parseSubjects(command.args.vs).map(each => this.#resolve(each)))
    const refusal = others.find(each => typeof each === 'string')
    if (refusal !== undefined) return this.say(refusal, 'error')
    const found = others.filter(each => typeof each !== 'string')
    const args = found.length === 0 ? command.args : { ...command.args, vs: formatSubjects(found) }
    this.#set({ message: null })
    const index = this.#state.panes.findIndex(each => each.id === pane)
    if (index >= 0) this.#focus(index)
    this.#open({ ...command, subject, args })
  }

  /** The subject with its id, or a sentence that says why there is none. */
  async #resolve(subject: Subject): Promise<Subject | string> {
    if (subject.type !== 'search') return subject
    const wanted = subject.text.replace(/^@/, '').toLowerCase()
    const isHandle = subject.text.startsWith('@')
    const known = this.#knownSubjects().find(
      each => (!isHandle || each.subject.type === 'creator') && each.title.toLowerCase().replace(/^@/, '') === wanted,
    )
    if (known !== undefined) return known.subject
    const answer = await findCreator(this.#deps.http, subject.text)
    return answer.ok ? answer.body : answer.message
  }

  // Panes and screens

  #screen(): OpenScreen | null {
    return this.#state.panes[this.#state.focused]?.stack.at(-1) ?? null
  }

  #rects(): readonly PaneRect[] {
    const size = this.#sizes[0]
    return size === undefined ? [] : this.layout(size).panes
  }

  #focusedView(): ScreenView | null {
    return this.#viewOfPane(this.#state.focused)
  }

  /** A pane without room has the view of a small one. */
  #viewOfPane(index: number): ScreenView | null {
    const style = this.#style
    if (style === null) return null
    const rect = this.#rects().find(each => each.paneIndex === index)
    return this.viewOf(rect ?? { paneIndex: index, x: 0, y: 0, width: 80, height: 20 }, style)
  }

  #focusedSubject(): Subject | null {
    const view = this.#focusedView()
    return view === null ? null : (this.#screen()?.subject(view) ?? null)
  }

  /** Returns whether the screen knew the action. */
  #act(call: ActionCall): boolean {
    const screen = this.#screen()
    const view = this.#focusedView()
    if (screen === null || view === null) return false
    const index = this.#state.focused
    const next = screen.act(call, this.#screenDeps(view, screen))
    if (next === null) {
      if (call.name.startsWith('platform.')) this.say(`${screen.fn} has no platforms to choose from.`)
      return false
    }
    // The action may have opened another screen or moved the focus: then it is not on top any more.
    this.#setPane(index, pane => ({ ...pane, stack: pane.stack.map(each => (each === screen ? next : each)) }))
    this.#want()
    this.#followSoon()
    return true
  }

  /** Hands something that nobody pressed a key for to a screen, wherever it stands now; one that is gone wants it no more. */
  #tell(id: symbol, call: ActionCall): void {
    this.#state.panes.forEach((pane, index) => {
      const screen = pane.stack.find(each => each.id === id)
      const view = this.#viewOfPane(index)
      if (screen === undefined || view === null) return
      const next = screen.act(call, this.#screenDeps(view, screen))
      if (next === null) return
      this.#setPane(index, each => ({ ...each, stack: each.stack.map(one => (one.id === id ? next : one)) }))
    })
    this.#want()
  }

  #screenDeps(view: ScreenView, screen: OpenScreen): ScreenDeps {
    return {
      ...view,
      run: command => {
        this.run(command)
      },
      say: message => this.say(message),
      http: this.#deps.http,
      account: this.#deps.account,
      ask: (tag, work) =>
        void work.catch(unexpected).then(result => this.#tell(screen.id, { name: 'answer', answer: { tag, result } })),
      refresh: path => this.resources.refresh(path),
      openBrowser: async url => isWebAddress(url) && (await this.#deps.openBrowser(url)),
      download: file => {
        const { http, saveFile } = this.#deps
        void saveDownload(file, { http, saveFile, say: text => this.say(text), signal: this.#leaving.signal })
      },
      results: this.results,
      saveAnswer: file => {
        const { http, saveFile } = this.#deps
        void saveAnswer(file, { http, saveFile, say: text => this.say(text), signal: this.#leaving.signal })
      },
      exportRows: format => this.#export(format),
      savePicture: (picture, format) => {
        const { saveFile, renderPng } = this.#deps
        void savePicture(picture, { format, saveFile, renderPng }).then(sentence => this.say(sentence))
      },
      copy: (text, name) => this.#copyText(text, name),
    }
  }

  #back(): void {
    const screen = this.#screen()
    const view = this.#focusedView()
    const next = screen === null || view === null ? null : screen.act({ name: 'back' }, this.#screenDeps(view, screen))
    this.#setPane(this.#state.focused, pane => {
      if (next !== null) return { ...pane, stack: [...pane.stack.slice(0, -1), next] }
      return pane.stack.length > 1 ? { ...pane, stack: pane.stack.slice(0, -1) } : pane
    })
    this.#want()
    this.#followSoon()
  }

  #focus(index: number): void {
    if (index < 0 || index >= this.#state.panes.length || index === this.#state.focused) return
    this.#set({ focused: index })
    this.#want()
  }

  #split(): void {
    const { panes, focused } = this.#state
    const screen = this.#screen()
    if (panes.length >= panesMax) return this.say(`At most ${panesMax} panes are open: close one with q.`)
    if (screen === null) return
    const pane: Pane = { id: this.#nextPaneId++, stack: [screen.fork()], isLinked: false }
    this.#set({ panes: [...panes.slice(0, focused + 1), pane, ...panes.slice(focused + 1)], focused: focused + 1 })
    this.#want()
  }

  #closePane(): void {
    const { panes, focused } = this.#state
    if (panes.length === 1) return this.say('This is the last pane. Ctrl-C twice quits.')
    this.#set({ panes: panes.filter((_, i) => i !== focused), focused: Math.max(0, focused - 1) })
    this.#want()
  }

  #link(): void {
    const isLinked = this.#state.panes[this.#state.focused]?.isLinked !== true
    this.#setPane(this.#state.focused, pane => ({ ...pane, isLinked }))
    this.say(isLinked ? 'This pane follows the selection of the others.' : 'This pane stays on what it shows.')
  }

  #setPane(index: number, change: (pane: Pane) => Pane): void {
    this.#set({ panes: this.#state.panes.map((pane, i) => (i === index ? change(pane) : pane)) })
  }

  /** Linked panes follow a moment after the selection rests, so that holding a key down does not ask for every row. */
  #followSoon(): void {
    if (this.#stopFollow !== null) return
    this.#stopFollow = this.#deps.setTimer(followAfterMs, () => {
      this.#stopFollow = null
      this.#follow()
    })
  }

  #follow(): void {
    const subject = this.#focusedSubject()
    const { focused, panes } = this.#state
    if (subject === null || panes[focused]?.isLinked === true) return
    let hasChanged = false
    const next = panes.map((pane, i) => {
      const top = pane.stack.at(-1)
      if (i === focused || !pane.isLinked || top === undefined) return pane
      const shown = this.#shownSubject(i)
      if (shown !== null && formatSubject(shown) === formatSubject(subject)) return pane
      const followed = top.follow(subject)
      if (followed === null) return pane
      hasChanged = true
      return { ...pane, stack: [...pane.stack.slice(0, -1), followed] }
    })
    if (!hasChanged) return
    this.#set({ panes: next })
    this.#want()
  }

  /** A linked pane shows nothing yet: data alone may give it its first subject; later only the user moves it. */
  #hasUnfollowed(): boolean {
    return this.#state.panes.some(
      (pane, i) => pane.isLinked && i !== this.#state.focused && this.#shownSubject(i) === null,
    )
  }

  #shownSubject(paneIndex: number): Subject | null {
    const view = this.#focusedView()
    return view === null ? null : (this.#state.panes[paneIndex]?.stack.at(-1)?.subject(view) ?? null)
  }

  /** Subscribes to what the visible panes of all viewers show. */
  #want(): void {
    const screens = this.#visible().map(({ screen }) => screen)
    const isSignedOut = this.#shutPanes !== null
    const read: ReadResource = query => this.resources.read(query)
    this.#deps.live.want(isSignedOut ? [] : [worldQuery, tapeQuery, ...screens.flatMap(screen => screen.queries(read))])
    this.#wantAnswers()
    this.results.keep(new Set(this.#state.panes.flatMap(({ stack }) => stack.flatMap(screen => screen.results()))))
    if (screens.some(screen => screen.isMoving())) this.#moveSoon()
    this.#tickSoon()
  }

  /** What a screen wants may follow from what came: how long a video is says which pictures of it there are. */
  #wantAnswers(): void {
    const visible = this.#visible()
    const shown = visible.flatMap(({ screen }) => screen.resources(query => this.resources.read(query)))
    this.resources.want(this.#shutPanes === null ? [...shown, alertsResource] : shown)
    this.pictures.want(
      visible.flatMap(({ screen, index }) => {
        const view = this.#viewOfPane(index)
        return view === null ? [] : screen.pictures(view)
      }),
    )
  }

  #visible(): { screen: OpenScreen; index: number }[] {
    const { panes } = this.#state
    const indexes = this.#sizes.flatMap(size => this.layout(size).panes.map(rect => rect.paneIndex))
    return [...new Set(indexes)].flatMap(index => {
      const screen = panes[index]?.stack.at(-1)
      return screen === undefined ? [] : [{ screen, index }]
    })
  }

  /** Screens that go on by themselves; the timer of one that is not visible any more ends without a tick. */
  #tickSoon(): void {
    for (const { screen } of this.#visible()) {
      const ms = screen.tickMs(query => this.resources.read(query))
      if (ms === null || this.#ticking.has(screen.id)) continue
      const stop = this.#deps.setTimer(ms, () => {
        this.#ticking.delete(screen.id)
        if (this.#visible().some(each => each.screen.id === screen.id)) this.#tell(screen.id, { name: 'tick' })
      })
      this.#ticking.set(screen.id, stop)
    }
  }

  #moveSoon(): void {
    this.#stopMoving ??= this.#deps.setTimer(movingMs, () => {
      this.#stopMoving = null
      this.#notify('soon')
      if (this.#visible().some(({ screen }) => screen.isMoving())) this.#moveSoon()
    })
  }

  // Everything else that an action does

  #openFilter(): void {
    const text = this.#screen()?.filterText() ?? null
    if (text === null) this.say('This screen has nothing to filter.')
    else this.#set({ input: openInput('filter', text) })
  }

  #export(format: ExportFormat): void {
    const view = this.#focusedView()
    const list = view === null ? null : (this.#screen()?.list(view) ?? null)
    if (list === null) return this.say('This screen has no list to save.')
    const notice = this.world?.notice ?? ''
    void exportList(this.#deps.saveFile, { ...list, notice }, format).then(sentence => this.say(sentence))
  }

  #copy(): void {
    const view = this.#focusedView()
    const text = view === null ? '' : (this.#screen()?.copyText(view) ?? '')
    if (text === '') return this.say('There is nothing to copy here.')
    this.#copyText(text, this.#screen()?.copyName() ?? null)
  }

  /** Whose desk it is. */
  #person(): string {
    const account = this.#deps.account?.state
    return account?.status === 'signedIn' ? account.email : ''
  }

  /** A text with a name is not printed in the status line. */
  #copyText(text: string, name: string | null): void {
    if (this.#deps.copy(text)) return this.say(`Copied ${name ?? text}`)
    this.say(`This terminal has no clipboard: ${name === null ? text : `take ${name} from the screen.`}`)
  }

  #setTheme(themeName: ThemeName): void {
    this.#remember({ theme: themeName })
    this.#set({ themeName })
    this.say(`Theme ${themeName}.`)
  }

  #setDepth(text: string | undefined): void {
    const depth = ([0, 4, 8, 24] as const).find(each => String(each) === text)
    if (depth === undefined) return this.say('COLOR 24, 8, 4 or 0.')
    this.#remember({ depth })
    this.#set({ depth })
    this.say(depth === 0 ? 'No colours.' : `${depth} bits of colour.`)
  }

  #setPictures(pictures: PictureMode): void {
    this.#remember({ pictures })
    this.#set({ pictures })
    this.say(pictureTitles[pictures])
  }

  #setMouse(isMouseOn: boolean): void {
    this.#remember({ isMouseOn })
    this.#set({ isMouseOn })
    this.say(isMouseOn ? 'The mouse is on; hold Shift to select text.' : 'The mouse is off.')
  }

  #setBell(text: string | undefined): void {
    const bell = bellModes.find(mode => mode === text)
    if (bell === undefined) return this.say(`BELL ON, OFF or NOTIFY; it is ${this.#preferences.bell.toUpperCase()}.`)
    this.#remember({ bell })
    if (bell !== 'off') this.#deps.ring(bell === 'notify' ? 'Cliptape tells of alerts like this.' : null)
    this.say({ on: 'Alerts flash and ring.', off: 'Alerts are quiet.', notify: 'Alerts ring and notify.' }[bell])
  }

  #quit(): void {
    const nowMs = this.#deps.nowMs()
    if (nowMs < this.#quitUntilMs) return this.#deps.onQuit()
    this.say('Press Ctrl-C again to quit.')
    this.#quitUntilMs = nowMs + quitWithinMs
  }

  #remember(part: Partial<Preferences>): void {
    this.#preferences = { ...this.#preferences, ...part }
    this.#deps.preferences.save(this.#preferences)
  }

  #set(part: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...part }
    this.#notify('now')
  }

  #notify(urgency: 'now' | 'soon'): void {
    for (const listener of this.#listeners) listener(urgency)
  }
}

/** Work that should have had a result has failed instead, e.g. because the session could not be kept. */
function unexpected(error: unknown): Extract<HttpResult, { ok: false }> {
  return { ok: false, message: error instanceof Error ? error.message : 'This failed.', status: 0, code: '' }
}

/** The pane with nothing that the last session was answered: screens of an account are as if just opened. */
function withoutAnswers(pane: Pane): Pane {
  return {
    ...pane,
    stack: pane.stack.map(screen => (screen.resources(nothingRead).length === 0 ? screen : screen.reopen())),
  }
}

function isCapital(key: string): boolean {
  return /^[A-Z]$/.test(key)
}

function openFunction(fn: 'TOP' | 'GP' | 'MOV' | 'LOGIN'): OpenScreen {
  const factory = findScreen(fn)
  if (factory === null) throw new Error(`The screen ${fn} is not registered.`)
  return factory.open({ fn, subject: null, args: {} })
}

/** Whether a server may have the system's browser open this: no file of this machine, and no option of a program. */
function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

function needsResolving(command: Command): boolean {
  if (functionSpec(command.fn).subject === 'none') return false
  const others = command.args.vs === undefined ? [] : parseSubjects(command.args.vs)
  return command.subject?.type === 'search' || others.some(each => each.type === 'search')
}

function nextTheme(name: ThemeName): ThemeName {
  return themeNames[(themeNames.indexOf(name) + 1) % themeNames.length] ?? 'amber'
}
