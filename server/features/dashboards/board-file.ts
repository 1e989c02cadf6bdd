/**
 * A board as a file that a person can read and compare: YAML 1.2, in the words of `contracts/dashboards.ts`. Comments are
 * the author's: a file is kept beside the board that was read from it, and a board that was changed otherwise is written
 * into the old file, so that what stands beside an unchanged part stays there.
 */
import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { Board } from '../../../contracts/dashboards.ts'
import { AppError } from '../../../contracts/errors.ts'
import { faultError, parseBoard } from './parse-board.ts'

const aliasesMax = 100
const nestingMax = 20
const lineCharsMax = 120
/** Maps and lists of plain values stay on one line up to this length. */
const flowCharsMax = 100

/**
 * The board in a file.
 * @throws AppError BAD_REQUEST whose sentence names line and column; `details` has them as numbers, with all problems
 */
export function readBoardFile(text: string): Board {
  const lines = new LineCounter()
  const doc = parse(text, lines)
  const syntax = doc.errors[0]
  if (syntax !== undefined) throw fileError(lines.linePos(syntax.pos[0]), firstLine(syntax.message))
  const read = parseBoard(plainValue(doc))
  if ('board' in read) return read.board
  const places = read.faults.map(fault => lines.linePos(startOf(doc, fault.path)))
  const placed = read.faults.map((fault, i) => ({ ...fault, sentence: placedSentence(places[i], fault.sentence) }))
  throw faultError(placed, { line: places[0]?.line, column: places[0]?.col })
}

/**
 * The file of a board. Defaults are left out.
 * @param previous the file that held the board before its change, whose comments and order are kept; null for none
 */
export function writeBoardFile(board: Board, previous: string | null = null): string {
  const plain = withoutDefaults(board)
  const doc = parse(previous ?? '{}', new LineCounter())
  const root = isMap(doc.contents) && previous !== null ? syncMap(doc, doc.contents, plain) : doc.createNode(plain)
  doc.contents = root
  if (previous === null) layOut(doc)
  return doc.toString({ lineWidth: lineCharsMax })
}

function parse(text: string, lineCounter: LineCounter): Document {
  // It is printed as it is: what a terminal would obey has no business in it.
  if (/[^\P{Cc}\n\r\t]/u.test(text)) throw new AppError('BAD_REQUEST', 'The file holds control characters.')
  if (nesting(text) > nestingMax)
    throw new AppError('BAD_REQUEST', `The file is nested more than ${nestingMax} levels deep.`)
  return parseDocument(text, { lineCounter, prettyErrors: false, merge: false })
}

/** Brackets that are open at once, counted without reading what they mean: the parser would follow them into the depth. */
function nesting(text: string): number {
  let open = 0
  let most = 0
  for (const char of text) {
    if (char === '[' || char === '{') most = Math.max(most, ++open)
    else if ((char === ']' || char === '}') && open > 0) open -= 1
  }
  return most
}

function plainValue(doc: Document): unknown {
  try {
    return doc.toJS({ maxAliasCount: aliasesMax })
  } catch (cause) {
    throw new AppError('BAD_REQUEST', 'The file has aliases that lead nowhere or repeat too much.', { cause })
  }
}

/** Where a part of the board stands; of one that is missing, where it would belong. */
function startOf(doc: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = doc.getIn(path.slice(0, depth), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return doc.contents?.range?.[0] ?? 0
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isCollection(value)
}

function fileError(place: { line: number; col: number }, message: string): AppError {
  const details = { line: place.line, column: place.col }
  return new AppError('BAD_REQUEST', placedSentence(place, message), { details })
}

function placedSentence(place: { line: number; col: number } | undefined, sentence: string): string {
  return place === undefined ? sentence : `Line ${place.line}, column ${place.col}: ${sentence}`
}

/** The parser's own message goes on with an excerpt. */
function firstLine(message: string): string {
  const line = message.split('\n')[0]?.trim() ?? ''
  return line.endsWith('.') ? line : `${line}.`
}

/** Fields with these values mean the same when they are not there. */
const defaults: Readonly<Record<string, unknown>> = {
  format: 'auto',
  reduce: 'first',
  changeFormat: 'auto',
  description: '',
  refresh: 'live',
  style: 'rows',
  warnFrom: 0.8,
  slices: 4,
}

type Plain = string | number | boolean | null | Plain[] | { [name: string]: Plain }

function withoutDefaults(board: Board): Plain {
  return plainOf(JSON.parse(JSON.stringify(board)), '')
}

/** `params` hold names of somebody else, which mean nothing here. */
function plainOf(value: Plain, name: string): Plain {
  if (Array.isArray(value)) return value.map(each => plainOf(each, name))
  if (typeof value !== 'object' || value === null || name === 'params') return value
  const kept = Object.entries(value)
    .map(([key, inner]): [string, Plain] => [key, plainOf(inner, key)])
    .filter(([key, inner]) => defaults[key] !== inner && !isEmpty(inner))
  return Object.fromEntries(kept)
}

function isEmpty(value: Plain): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** Makes a node say what a value says; what says it already stays as it was written. */
function sync(doc: Document, node: unknown, value: Plain): Node {
  if (isMap(node) && typeof value === 'object' && value !== null && !Array.isArray(value))
    return syncMap(doc, node, value)
  if (isSeq(node) && Array.isArray(value)) return syncSeq(doc, node, value)
  if (isScalar(node) && node.value === value) return node
  const made = newNode(doc, value)
  if (isNode(node) && isScalar(made)) Object.assign(made, { comment: node.comment, commentBefore: node.commentBefore })
  return made
}

function syncMap(doc: Document, map: YAMLMap, value: Plain): YAMLMap {
  const wanted = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  const written = map.toJSON()
  for (const key of Object.keys(written)) {
    // A default that its author wrote out stays.
    if (!(key in wanted) && defaults[key] !== written[key]) map.delete(key)
  }
  for (const [key, inner] of Object.entries(wanted)) map.set(key, sync(doc, map.get(key, true), inner))
  return map
}

/** Panels, variables and columns are known by their names, everything else by its place. */
function syncSeq(doc: Document, seq: YAMLSeq, value: readonly Plain[]): YAMLSeq {
  const before = [...seq.items]
  const named = new Map(before.flatMap(item => (isMap(item) ? [[nameOf(item.toJSON()), item]] : [])))
  seq.items = value.map((inner, at) => {
    const name = nameOf(inner)
    return sync(doc, name === null ? before[at] : named.get(name), inner)
  })
  return seq
}

function nameOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null
  const name = ['id', 'name', 'field', 'value']
    .map(key => Reflect.get(value, key))
    .find(each => typeof each === 'string')
  return typeof name === 'string' ? name : null
}

function newNode(doc: Document, value: Plain): Node {
  const node = doc.createNode(value)
  styleNodes(node)
  return node
}

function layOut(doc: Document): void {
  if (!isMap(doc.contents)) return
  for (const pair of doc.contents.items) if (isNode(pair.value)) styleNodes(pair.value)
  // An empty line before each panel and the lists themselves.
  for (const key of ['variables', 'panels']) {
    const list = doc.get(key, true)
    const pair = doc.contents.items.find(each => isScalar(each.key) && each.key.value === key)
    if (pair && isScalar(pair.key)) pair.key.spaceBefore = true
    if (isSeq(list))
      list.items.forEach((item, at) => {
        if (isMap(item) && key === 'panels' && at > 0) item.spaceBefore = true
      })
  }
}

/** Several lines as a block, small maps and lists of plain values on one line. */
function styleNodes(root: Node): void {
  visit(root, {
    Scalar(_key, node) {
      if (typeof node.value === 'string' && node.value.includes('\n')) node.type = Scalar.BLOCK_LITERAL
    },
    Collection(_key, node) {
      const isPlain = (isMap(node) ? node.items.map(pair => pair.value) : node.items).every(isScalar)
      if (isPlain && JSON.stringify(node.toJSON()).length <= flowCharsMax) node.flow = true
    },
  })
}
