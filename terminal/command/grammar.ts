import {
  type ArgSpec,
  type FunctionName,
  type FunctionSpec,
  findFunction,
  functionSpec,
  functionSpecs,
  readArg,
} from './functions.ts'
import { nearestNames } from './nearest.ts'
import { formatSubjects, parseSubject, type Subject } from './subject.ts'
import { splitWords, type Word } from './words.ts'

// The command line has Bloomberg's order: subject, FUNCTION, arguments. Words before the function are the subject (bare
// words together are a search; several marked ones are compared), words after it are arguments: by value where a value
// can only mean one argument (`TOP CLIPS 24H YT`), by name where it is open (`NICHE=brain-rot`). A subject alone describes
// itself, and arguments that fit TOP alone are a TOP (`YT 24H`). Case never matters but in ids.

/** What a typed command asks for. Argument names are lower case, values canonical (see `functions.ts`). */
export interface Command {
  fn: FunctionName
  subject: Subject | null
  args: Record<string, string>
}

/** A command, or a sentence that says what is wrong and where it stands in the text. */
export type ParsedCommand = { ok: true; command: Command } | { ok: false; message: string; at: number }

/** What the parser may lean on: the subject of the row or screen that has the focus. */
export interface CommandContext {
  focusedSubject: Subject | null
}

/** Longest command that is read, in UTF-16 units. */
export const commandLengthMax = 1000
const subjectsMax = 4

/** Reads one command. A leading `:` is allowed. Never throws, whatever the text. */
export function parseCommand(text: string, ctx: CommandContext): ParsedCommand {
  if (text.length > commandLengthMax)
    return refuse(`A command has at most ${commandLengthMax} characters.`, commandLengthMax)
  const words = splitWords(withoutColon(text))
  const first = words[0]
  if (first === undefined) return refuse('Type a function, for example TOP; HELP lists them.', 0)
  const found = words.flatMap((word, at) => {
    const spec = word.isQuoted ? null : findFunction(word.text)
    return spec === null ? [] : [{ spec, at }]
  })
  const [named] = found
  if (named === undefined) return parseWithoutFunction(words, first, text.length)
  const parsed = parseFunction(words, named, ctx)
  if (parsed.ok || named.spec.subject !== 'none') return parsed
  // A name may begin like a function: `bill gates DES`.
  const later = found.find(each => each.spec.subject === 'required')
  const asName = later === undefined ? parsed : parseFunction(words, later, ctx)
  return asName.ok ? asName : parsed
}

/** The command of the function at a word: what stands before it is the subject, what follows are arguments. */
function parseFunction(
  words: readonly Word[],
  { spec, at: fnAt }: { spec: FunctionSpec; at: number },
  ctx: CommandContext,
): ParsedCommand {
  const after = words.slice(fnAt + 1)
  if (spec.subject === 'optional') return parseOptional(words, { spec, at: fnAt }, after)
  // `VOD @mrbeast`: a function that needs a subject takes one that follows it as well, where nothing stands before it.
  const followsAt = after.findIndex(word => word.isQuoted || parseSubject(word.text) === null)
  const followCount = followsAt < 0 ? after.length : followsAt
  const isAfter = fnAt === 0 && spec.subject === 'required' && followCount > 0
  const subjects = readSubjects(isAfter ? after.slice(0, followCount) : words.slice(0, fnAt))
  if (!subjects.ok) return subjects
  const args = readArgs(spec, isAfter ? after.slice(followCount) : after)
  if (!args.ok) return args
  return build({ spec, subjects: subjects.subjects, args: args.args, ctx, at: words[fnAt]?.at ?? 0 })
}

/** Marked words behind the function are its subject as well: `WL ADD @mrbeast`. A row that has the focus is not meant. */
function parseOptional(
  words: readonly Word[],
  { spec, at: fnAt }: { spec: FunctionSpec; at: number },
  after: readonly Word[],
): ParsedCommand {
  const isSubject = (word: Word) => !word.isQuoted && parseSubject(word.text) !== null
  const subjects = readSubjects([...words.slice(0, fnAt), ...after.filter(isSubject)])
  if (!subjects.ok) return subjects
  const args = readArgs(
    spec,
    after.filter(word => !isSubject(word)),
  )
  if (!args.ok) return args
  const [subject = null, another] = subjects.subjects
  if (another !== undefined) return refuse(`${spec.name} takes one subject.`, words[fnAt]?.at ?? 0)
  return { ok: true, command: { fn: spec.name, subject, args: args.args } }
}

/** The text with a leading `:` blanked out, so that positions stay true. */
export function withoutColon(text: string): string {
  return text.replace(/^(\s*):/, '$1 ')
}

function parseWithoutFunction(words: Word[], first: Word, end: number): ParsedCommand {
  if (words.every(word => word.isQuoted || parseSubject(word.text) !== null)) {
    const subjects = readSubjects(words)
    if (!subjects.ok) return subjects
    const fn = subjects.subjects.length > 1 ? 'GP' : 'DES'
    return build({
      spec: functionSpec(fn),
      subjects: subjects.subjects,
      args: {},
      ctx: { focusedSubject: null },
      at: end,
    })
  }
  const args = readArgs(functionSpec('TOP'), words)
  if (args.ok) return { ok: true, command: { fn: 'TOP', subject: null, args: args.args } }
  const unknown = words.find(word => !word.isQuoted && parseSubject(word.text) === null) ?? first
  return refuse(unknownFunction(unknown.text), unknown.at)
}

function unknownFunction(name: string): string {
  const shown = [...name].slice(0, 24).join('').toUpperCase()
  const near = nearestNames(
    name.toUpperCase(),
    functionSpecs.map(spec => spec.name),
  )
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`
  return `There is no function ${shown}; HELP lists them.${hint}`
}

type ReadSubjects = { ok: true; subjects: Subject[] } | { ok: false; message: string; at: number }

/** Marked words (`@`, `#`, an id, quotes) are a subject each; bare words side by side are one search. */
function readSubjects(words: readonly Word[]): ReadSubjects {
  const subjects: Subject[] = []
  let bare: string[] = []
  const endBare = () => {
    if (bare.length > 0) subjects.push({ type: 'search', text: bare.join(' ') })
    bare = []
  }
  for (const word of words) {
    const subject = parseSubject(word.text)
    if (subject === null && !word.isQuoted) {
      bare.push(word.text)
      continue
    }
    endBare()
    if (subject !== null) subjects.push(subject)
    else if (word.text.trim() !== '') subjects.push({ type: 'search', text: word.text.trim() })
  }
  endBare()
  if (subjects.length > subjectsMax)
    return refuse(`At most ${subjectsMax} subjects can be compared.`, words.at(-1)?.at ?? 0)
  return { ok: true, subjects }
}

type ReadArgs = { ok: true; args: Record<string, string> } | { ok: false; message: string; at: number }

function readArgs(spec: FunctionSpec, words: readonly Word[]): ReadArgs {
  const args = new Map<string, string>()
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    if (word === undefined) break
    const named = splitNamed(spec, word)
    // `VS @a @b` reads as `VS="@a @b"`: subjects after it belong to it.
    if (named === null && word.text.toUpperCase() === 'VS' && spec.args.some(arg => arg.name === 'vs')) {
      const rest = words.slice(i + 1)
      if (rest.length === 0) return refuse('VS needs subjects after it, for example VS @mrbeast.', word.at)
      const subjects = readSubjects(rest)
      if (!subjects.ok) return subjects
      args.set('vs', formatSubjects(subjects.subjects))
      break
    }
    const read = named === null ? readPositional(spec, word, args) : readNamed(named.arg, named.text, word.at)
    if (!read.ok) return read
    if (args.has(read.name)) return refuse(`${read.name.toUpperCase()} is given twice.`, word.at)
    args.set(read.name, read.value)
  }
  const clash = windowClash(args)
  if (clash !== null) return refuse(clash, words[0]?.at ?? 0)
  return { ok: true, args: Object.fromEntries(args) }
}

function windowClash(args: ReadonlyMap<string, string>): string | null {
  const from = args.get('from')
  const to = args.get('to')
  if (from === undefined && to === undefined) return null
  if (from === undefined || to === undefined) return 'FROM and TO come together.'
  if (args.has('period')) return 'Use either a period or FROM and TO, not both.'
  return Date.parse(from) < Date.parse(to) ? null : 'TO must lie after FROM.'
}

function splitNamed(spec: FunctionSpec, word: Word): { arg: ArgSpec; text: string } | null {
  const equals = word.text.indexOf('=')
  if (equals < 1) return null
  const arg = spec.args.find(each => each.name === word.text.slice(0, equals).toLowerCase())
  return arg === undefined ? null : { arg, text: word.text.slice(equals + 1) }
}

type ReadArg = { ok: true; name: string; value: string } | { ok: false; message: string; at: number }

function readNamed(arg: ArgSpec, text: string, at: number): ReadArg {
  const value = readArg(arg, text)
  if (value !== null) return { ok: true, name: arg.name, value }
  const wanted =
    arg.read === undefined
      ? `one of ${arg.values.map(each => each.value.toUpperCase()).join(' ')}`
      : `like ${arg.example}`
  return refuse(`${arg.name.toUpperCase()} must be ${wanted}.`, at)
}

/** The first argument that is not set yet and takes the word; the order in the function's table decides. */
function readPositional(spec: FunctionSpec, word: Word, taken: ReadonlyMap<string, string>): ReadArg {
  for (const arg of spec.args) {
    if (!arg.isPositional || taken.has(arg.name)) continue
    const value = readArg(arg, word.text)
    if (value !== null) return { ok: true, name: arg.name, value }
  }
  const twice = spec.args.find(arg => arg.isPositional && taken.has(arg.name) && readArg(arg, word.text) !== null)
  if (twice !== undefined) return refuse(`${twice.name.toUpperCase()} is given twice.`, word.at)
  const shown = [...word.text].slice(0, 24).join('')
  if (spec.args.length === 0) return refuse(`${spec.name} takes no arguments, so it cannot use ${shown}.`, word.at)
  const values = spec.args.flatMap(arg => (arg.isPositional ? arg.values.map(each => each.value.toUpperCase()) : []))
  const near = nearestNames(shown.toUpperCase(), values)
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(' or ')}?`
  return refuse(`${spec.name} does not know ${shown}; HELP ${spec.name} shows what it takes.${hint}`, word.at)
}

interface Parts {
  spec: FunctionSpec
  subjects: readonly Subject[]
  args: Record<string, string>
  ctx: CommandContext
  at: number
}

function build({ spec, subjects, args, ctx, at }: Parts): ParsedCommand {
  const [first, ...others] = subjects
  if (spec.subject === 'none') {
    if (first !== undefined) return refuse(`${spec.name} takes no subject before it.`, 0)
    return { ok: true, command: { fn: spec.name, subject: null, args } }
  }
  if (spec.subject === 'filter') return buildFiltered(spec, subjects, args)
  const subject = first ?? ctx.focusedSubject
  if (subject === null)
    return refuse(`${spec.name} needs a subject before it: @creator, #topic, a clip's id, or a selected row.`, at)
  if (others.length === 0) return { ok: true, command: { fn: spec.name, subject, args } }
  if (!spec.args.some(arg => arg.name === 'vs'))
    return refuse(`${spec.name} takes one subject; GP compares several.`, 0)
  if (args.vs !== undefined) return refuse('Compare either before GP or with VS, not both.', at)
  return { ok: true, command: { fn: spec.name, subject, args: { ...args, vs: formatSubjects(others) } } }
}

/** `#minecraft TOP` is `TOP TOPIC=minecraft`: a ranking has no subject, only filters. */
function buildFiltered(spec: FunctionSpec, subjects: readonly Subject[], args: Record<string, string>): ParsedCommand {
  const filters = { ...args }
  for (const subject of subjects) {
    if (subject.type !== 'creator' && subject.type !== 'topic')
      return refuse(`${spec.name} is filtered by a creator's id (@youtube:UC…) or a #topic before it.`, 0)
    if (filters[subject.type] !== undefined) return refuse(`${subject.type.toUpperCase()} is given twice.`, 0)
    filters[subject.type] = subject.id
  }
  return { ok: true, command: { fn: spec.name, subject: null, args: filters } }
}

function refuse(message: string, at: number): { ok: false; message: string; at: number } {
  return { ok: false, message, at }
}
