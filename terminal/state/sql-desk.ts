import { z } from 'zod'
import { sqlCharsMax } from '../../contracts/queries.ts'
import type { SetTimer } from '../keys/decoder.ts'
import { cleanLines } from '../text/clean.ts'

// What somebody's desk for SQL holds from one start of the terminal to the next: the text that is being written, what was
// run, and the values that parameters had. Nothing that was typed is lost by leaving the screen, by signing out or by a crash
// (but for the last moment). Several terminals on one home share the file: what another one has written meanwhile is put
// with what was run, never over what stands here.

const DraftSchema = z.object({
  text: z.string(),
  cursor: z.number().int().min(0),
  /** The saved query that the text came from. */
  savedQueryId: z.string().nullable(),
})
export type SqlDraft = z.infer<typeof DraftSchema>

const DeskSchema = z.object({
  draft: DraftSchema.nullable().catch(null).default(null),
  /** Texts that were run, oldest first. */
  history: z.array(z.string()).catch([]).default([]),
  /** The last value of each parameter as it was typed, by its name. */
  values: z.record(z.string(), z.string()).catch({}).default({}),
})
type DeskContent = z.infer<typeof DeskSchema>

const DesksSchema = z.record(z.string(), DeskSchema).catch({})

/** Where desks are kept, as JSON. `load` returns whatever is there, or null; neither may throw. */
export interface SqlDeskPort {
  load(): unknown
  save(desks: unknown): void
}

/** One person's desk. */
export interface SqlDesk {
  draft(): SqlDraft
  /** `editorId` says who writes: the text of another editor is kept in the history before it is replaced. */
  keepDraft(editorId: symbol, draft: SqlDraft): void
  /** Texts that were run, newest first. */
  history(): readonly string[]
  /** Puts a text with what was run. */
  remember(sql: string): void
  values(): Readonly<Record<string, string>>
  keepValues(values: Readonly<Record<string, string>>): void
}

const saveAfterMs = 400
const historyEntriesMax = 300
/** All texts of a history together, in UTF-16 units. */
const historyCharsMax = 400_000
const valuesMax = 200
/** The longest text that can be written: several statements, and room to move them. */
export const draftCharsMax = 5 * sqlCharsMax

const emptyDraft: SqlDraft = { text: '', cursor: 0, savedQueryId: null }

/** The desks of a terminal: of whoever is signed in, or of its only user. */
export class SqlDesks {
  readonly #port: SqlDeskPort
  readonly #setTimer: SetTimer
  readonly #desks = new Map<string, DeskContent>()
  /** Whose text the draft is, by person. */
  readonly #writers = new Map<string, symbol>()
  /** The draft as this terminal knows that the file holds it, by person. */
  readonly #stored = new Map<string, string>()
  #stopTimer: (() => void) | null = null

  constructor(port: SqlDeskPort, setTimer: SetTimer) {
    this.#port = port
    this.#setTimer = setTimer
  }

  /** @param person an e-mail address, or '' where the terminal has one user */
  of(person: string): SqlDesk {
    return {
      draft: () => this.#content(person).draft ?? emptyDraft,
      keepDraft: (editorId, draft) => this.#keepDraft(person, editorId, draft),
      history: () => this.#content(person).history.toReversed(),
      remember: sql => this.#change(person, content => ({ ...content, history: withEntry(content.history, sql) })),
      values: () => this.#content(person).values,
      keepValues: values =>
        this.#change(person, content => ({
          ...content,
          values: Object.fromEntries(Object.entries({ ...content.values, ...values }).slice(-valuesMax)),
        })),
    }
  }

  /** Writes down what is not written yet. */
  close(): void {
    if (this.#stopTimer === null) return
    this.#stopTimer()
    this.#save()
  }

  #content(person: string): DeskContent {
    const content = this.#desks.get(person)
    if (content !== undefined) return content
    const loaded = this.#load()[person] ?? DeskSchema.parse({})
    this.#desks.set(person, loaded)
    this.#stored.set(person, loaded.draft?.text ?? '')
    return loaded
  }

  #keepDraft(person: string, editorId: symbol, draft: SqlDraft): void {
    const writer = this.#writers.get(person)
    this.#writers.set(person, editorId)
    this.#change(person, content => {
      const isOthers = writer !== undefined && writer !== editorId && content.draft !== null
      return {
        ...content,
        draft,
        history: isOthers ? withEntry(content.history, content.draft?.text ?? '') : content.history,
      }
    })
  }

  #change(person: string, change: (content: DeskContent) => DeskContent): void {
    this.#desks.set(person, change(this.#content(person)))
    this.#stopTimer ??= this.#setTimer(saveAfterMs, () => this.#save())
  }

  #save(): void {
    this.#stopTimer = null
    const desks = this.#load()
    for (const [person, content] of this.#desks) {
      const other = desks[person]
      const otherText = other?.draft?.text ?? ''
      // Another terminal has written since: its text is not this one's to replace.
      const isOthers = otherText !== this.#stored.get(person) && otherText !== content.draft?.text
      const history = [...(other?.history ?? []), ...(isOthers ? [otherText] : []), ...content.history].reduce(
        withEntry,
        [],
      )
      const merged = { ...content, history }
      this.#desks.set(person, merged)
      this.#stored.set(person, content.draft?.text ?? '')
      desks[person] = merged
    }
    this.#port.save(desks)
  }

  #load(): Record<string, DeskContent> {
    return cleaned(DesksSchema.parse(this.#port.load() ?? {}))
  }
}

/** The history with a text at its end, where it then stands once; the oldest ones go when it is too long. */
function withEntry(history: readonly string[], sql: string): string[] {
  const text = sql.trim()
  if (text === '' || text.length > draftCharsMax) return [...history]
  const entries = [...history.filter(each => each !== text), text].slice(-historyEntriesMax)
  let chars = 0
  const first = entries.findLastIndex(each => {
    chars += each.length
    return chars > historyCharsMax
  })
  return entries.slice(first + 1)
}

/** A person may have broken the file. */
function cleaned(desks: Record<string, DeskContent>): Record<string, DeskContent> {
  return Object.fromEntries(
    Object.entries(desks).map(([person, { draft, history, values }]) => [
      person,
      {
        draft: draft === null ? null : { ...draft, text: cleanLines(draft.text).slice(0, draftCharsMax) },
        history: history.map(cleanLines).reduce<string[]>(withEntry, []),
        values,
      },
    ]),
  )
}
