import { type ArgSpec, type FunctionSpec, findFunction, functionSpecs } from './functions.ts'
import { commandLengthMax, withoutColon } from './grammar.ts'
import { formatSubject, type Subject } from './subject.ts'
import { splitWords, type Word } from './words.ts'

/** A row that the session knows: it completes by its title and by its id. */
export interface KnownSubject {
  subject: Subject
  title: string
}

/** What the session knows that the function table does not. */
export interface CompletionContext {
  subjects: readonly KnownSubject[]
  /** Niche names, e.g. `brain-rot`. */
  niches: readonly string[]
}

/** One line of the completion list. Taking it replaces `from`…`to` of the text with `insert` (which ends in a space where a word is done). */
export interface Completion {
  label: string
  description: string
  insert: string
  from: number
  to: number
}

/** Most completions that are ever returned. */
export const completionsMax = 50

/** What could stand at the cursor, best first; from the first letter, and for an argument even before it. Pure, never throws. */
export function completeCommand(text: string, cursor: number, ctx: CompletionContext): Completion[] {
  if (text.length > commandLengthMax) return []
  const words = splitWords(withoutColon(text).slice(0, cursor))
  const last = words.at(-1)
  const typing: Word =
    last !== undefined && last.end === cursor ? last : { text: '', at: cursor, end: cursor, isQuoted: false }
  const done = words.filter(word => word !== typing)
  const fnWord = done.find(word => !word.isQuoted && findFunction(word.text) !== null)
  const spec = fnWord === undefined ? null : findFunction(fnWord.text)
  const found =
    spec === null ? completeStart(typing.text, done.length > 0, ctx) : completeArgs(spec, typing.text, done, ctx)
  return found.slice(0, completionsMax).map(each => ({ ...each, from: typing.at, to: cursor }))
}

type Candidate = Omit<Completion, 'from' | 'to'>

/** Before the function: functions by name, then known subjects. With nothing typed, the functions that are about a subject come when one stands there. */
function completeStart(typed: string, hasSubject: boolean, ctx: CompletionContext): Candidate[] {
  const isMarked = /^[@#"]/.test(typed) || typed.includes(':')
  const functions = isMarked ? [] : completeFunctions(typed, hasSubject)
  return typed === '' ? functions : [...functions, ...completeSubjects(typed, ctx.subjects)]
}

function completeFunctions(typed: string, hasSubject: boolean): Candidate[] {
  const upper = typed.toUpperCase()
  return functionSpecs
    .filter(spec => !hasSubject || spec.subject !== 'none')
    .filter(spec => [spec.name, ...spec.aliases].some(name => name.startsWith(upper)))
    .sort((a, b) => Number(b.name.startsWith(upper)) - Number(a.name.startsWith(upper)))
    .map(spec => ({ label: spec.name, description: spec.title, insert: `${spec.name} ` }))
}

function completeSubjects(typed: string, subjects: readonly KnownSubject[]): Candidate[] {
  const wanted = typed.toLowerCase().replace(/^[@"]+/, '')
  const ranked: { rank: number; candidate: Candidate }[] = []
  for (const { subject, title } of subjects) {
    if (typed.startsWith('#') && subject.type !== 'topic') continue
    if (typed.startsWith('@') && subject.type !== 'creator') continue
    const label = formatSubject(subject)
    const rank = subjectRank(wanted, label.toLowerCase().replaceAll('"', ''), title.toLowerCase())
    if (rank !== null) ranked.push({ rank, candidate: { label, description: title, insert: `${label} ` } })
  }
  return ranked.sort((a, b) => a.rank - b.rank).map(({ candidate }) => candidate)
}

/** 0: the title starts so; 1: the id does; 2: a word of the title does; null: not at all. */
function subjectRank(wanted: string, label: string, title: string): number | null {
  if (title.startsWith(wanted)) return 0
  if (label.startsWith(wanted) || label.slice(label.indexOf(':') + 1).startsWith(wanted)) return 1
  return wanted.length >= 2 && title.includes(` ${wanted}`) ? 2 : null
}

function completeArgs(spec: FunctionSpec, typed: string, done: readonly Word[], ctx: CompletionContext): Candidate[] {
  const equals = typed.indexOf('=')
  const named = equals < 1 ? undefined : spec.args.find(arg => arg.name === typed.slice(0, equals).toLowerCase())
  if (named !== undefined) return completeValue(named, typed.slice(0, equals + 1), typed.slice(equals + 1), ctx)
  const free = spec.args.filter(arg => !done.some(word => takes(arg, word.text)))
  const values = free.filter(arg => arg.isPositional).flatMap(arg => completeValue(arg, '', typed, ctx))
  const names = free
    .filter(arg => arg.read !== undefined && arg.name.startsWith(typed.toLowerCase()))
    .map(arg => ({ label: `${arg.name.toUpperCase()}=`, description: arg.title, insert: `${arg.name.toUpperCase()}=` }))
  const subjects = done.some(word => word.text.toUpperCase() === 'VS') ? completeSubjects(typed, ctx.subjects) : []
  return [...subjects, ...values, ...names]
}

/** Whether a word that is there already fills this argument, so that it need not be offered again. */
function takes(arg: ArgSpec, word: string): boolean {
  const typed = word.toLowerCase()
  if (typed.startsWith(`${arg.name}=`)) return true
  return arg.isPositional && arg.values.some(each => each.value.toLowerCase() === typed || each.aliases.includes(typed))
}

function completeValue(arg: ArgSpec, prefix: string, typed: string, ctx: CompletionContext): Candidate[] {
  const wanted = typed.toLowerCase().replaceAll('"', '')
  if (arg.read === undefined)
    return arg.values
      .filter(each => [each.value.toLowerCase(), ...each.aliases].some(name => name.startsWith(wanted)))
      .map(each => candidate(prefix, each.value.toUpperCase(), each.title))
  if (arg.name === 'niche')
    return ctx.niches.filter(name => name.startsWith(wanted)).map(name => candidate(prefix, name, arg.title))
  if (arg.name !== 'creator' && arg.name !== 'topic') return []
  return ctx.subjects.flatMap(({ subject, title }) => {
    if (subject.type === 'search' || subject.type !== arg.name) return []
    const isWanted = subject.id.toLowerCase().startsWith(wanted) || title.toLowerCase().startsWith(wanted)
    const text = /[\s"]/.test(subject.id) ? `"${subject.id.replaceAll('"', '')}"` : subject.id
    return isWanted ? [candidate(prefix, text, title)] : []
  })
}

function candidate(prefix: string, label: string, description: string): Candidate {
  return { label, description, insert: `${prefix}${label} ` }
}
