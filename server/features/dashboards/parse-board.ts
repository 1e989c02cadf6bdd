import { type Board, BoardSchema, checkBoard } from '../../../contracts/dashboards.ts'
import { AppError } from '../../../contracts/errors.ts'
import { issueProblems } from '../../http/issue-sentence.ts'

/** What is wrong with a board, as a sentence; `path` leads to it in the board as it came. */
export interface BoardFault {
  readonly path: readonly PropertyKey[]
  readonly sentence: string
}

/** The board, or what is wrong with it; then there is at least one fault. */
export function parseBoard(value: unknown): { board: Board } | { faults: BoardFault[] } {
  const parsed = BoardSchema.safeParse(value)
  if (!parsed.success)
    return { faults: issueProblems(parsed.error, value).map(({ path, problem }) => faultOf(path, problem, value)) }
  const problems = checkBoard(parsed.data)
  if (problems.length === 0) return { board: parsed.data }
  return { faults: problems.map(({ path, message }) => faultOf(path, message, value)) }
}

/** The error of a board with faults: its sentence is the first one, `details.problems` has the others. */
export function faultError(faults: readonly BoardFault[], details: Record<string, unknown> = {}): AppError {
  const sentences = faults.slice(0, 20).map(({ sentence }) => sentence)
  return new AppError('BAD_REQUEST', sentences[0] ?? 'The board is not valid.', {
    details: { ...details, problems: sentences },
  })
}

/** "Panel top-clips: options.value is missing." Panels and variables are called by their names where they have one. */
function faultOf(path: readonly PropertyKey[], problem: string, value: unknown): BoardFault {
  const [list, at, ...rest] = path
  const kind = list === 'panels' ? 'Panel' : list === 'variables' ? 'Variable' : null
  if (kind === null || typeof at !== 'number')
    return { path, sentence: `The board${path.length === 0 ? '' : `'s ${fieldName(path)}`} ${problem}.` }
  const own = inside(inside(inside(value, list), at), kind === 'Panel' ? 'id' : 'name')
  const name = typeof own === 'string' && own !== '' && rest[0] !== 'id' ? own.slice(0, 40) : String(at + 1)
  return { path, sentence: `${kind} ${name}${rest.length === 0 ? '' : `: ${fieldName(rest)}`} ${problem}.` }
}

function fieldName(path: readonly PropertyKey[]): string {
  return path.map(String).join('.').slice(0, 100)
}

function inside(value: unknown, name: PropertyKey | undefined): unknown {
  return typeof value === 'object' && value !== null && name !== undefined ? Reflect.get(value, name) : undefined
}
