import {
  type FunctionName,
  type FunctionSpec,
  findFunction,
  functionSpec,
  functionSpecs,
} from '../command/functions.ts'
import { type ListState, listStart, moveInList, pressInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import { cellWidth, wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { type ScreenView, screenFactory } from './screen.ts'

interface HelpState {
  /** The function that is told about; null lists all. */
  about: FunctionName | null
  filter: string
  list: ListState
}

/** A line of the help: a function, or an example that can be run. */
interface HelpRow {
  key: string
  label: string
  text: string
  command: string
}

/** All functions, or one: what it does, its arguments, examples that run with Enter. */
export const helpFactory = screenFactory<HelpState>({
  fn: 'HELP',
  contexts: ['help', 'list'],
  open: command => ({
    about: findFunction(command.args.function ?? '')?.name ?? null,
    filter: '',
    list: listStart,
  }),
  title: state => (state.about === null ? 'HELP' : `HELP ${state.about}`),
  queries: () => [],
  filterText: state => state.filter,
  draw: drawHelp,
  act(state, call, deps) {
    const rows = rowsOf(state)
    const listHeight = Math.max(1, deps.height - introOf(state, deps).length - 1)
    const list = moveInList(state.list, call.name, rows, listHeight)
    if (list !== null) return { ...state, list }
    switch (call.name) {
      case 'help.run': {
        const row = rows[selectedIndexOf(state.list, rows)]
        if (row !== undefined) deps.run(row.command)
        return state
      }
      case 'filter.text':
        return { ...state, filter: call.text ?? '', list: listStart }
      case 'pointer.press': {
        const line = (call.at?.y ?? 0) - introOf(state, deps).length - 1
        return { ...state, list: pressInList(state.list, line, rows, listHeight) }
      }
      case 'back':
        return state.filter === '' ? null : { ...state, filter: '', list: listStart }
      default:
        return null
    }
  },
})

const functionColumns: readonly Column<HelpRow>[] = [
  { title: 'FUNCTION', width: 10, cell: row => ({ text: row.label, role: 'accent', isBold: true }) },
  { title: 'WHAT IT SHOWS', width: 20, flex: 1, cell: row => ({ text: row.text, role: 'subject' }) },
]
const exampleColumns: readonly Column<HelpRow>[] = [
  { title: 'EXAMPLE (ENTER RUNS IT)', width: 20, flex: 1, cell: row => ({ text: row.label, role: 'accent' }) },
]

function drawHelp(state: HelpState, view: ScreenView): string[] {
  const rows = rowsOf(state)
  const intro = introOf(state, view).slice(0, Math.max(0, view.height - 2))
  const height = view.height - intro.length
  const selectedIndex = selectedIndexOf(state.list, rows)
  return [
    ...intro,
    ...drawTable({
      rows,
      columns: state.about === null ? functionColumns : exampleColumns,
      width: view.width,
      height,
      top: topOf(state.list, selectedIndex, rows.length, Math.max(1, height - 1)),
      selectedIndex,
      hasFocus: view.isFocused,
      style: view.style,
      nowMs: view.nowMs,
      cellKey: 'help',
    }),
  ]
}

const functionRows: readonly HelpRow[] = functionSpecs.map(spec => ({
  key: spec.name,
  label: spec.name,
  text: spec.title,
  command: `HELP ${spec.name}`,
}))
const exampleRows: ReadonlyMap<string, readonly HelpRow[]> = new Map(
  functionSpecs.map(spec => [
    spec.name,
    spec.examples.map(example => ({ key: example, label: example, text: '', command: example })),
  ]),
)

function rowsOf(state: HelpState): readonly HelpRow[] {
  const rows = state.about === null ? functionRows : (exampleRows.get(state.about) ?? [])
  const wanted = state.filter.toLowerCase()
  return wanted === '' ? rows : rows.filter(row => `${row.label} ${row.text}`.toLowerCase().includes(wanted))
}

/** The lines above the list: how commands are typed, or what the function does and takes. */
function introOf(state: HelpState, view: Pick<ScreenView, 'width' | 'style'>): string[] {
  if (state.about === null)
    return paragraph(view, [
      [
        'title',
        'Type a command and press Enter: <subject> <FUNCTION> [arguments]. Just start typing, or press : first.',
      ],
      ['muted', '? lists the keys of a screen and runs them. Enter on a function tells more about it. Esc goes back.'],
      ['muted', ''],
    ])
  const spec = functionSpec(state.about)
  return paragraph(view, [
    ['title', `${spec.name}: ${spec.title}`],
    ...spec.help.split('\n').map(text => ['text', text] as const),
    ...(spec.aliases.length === 0 ? [] : [['muted', `Also: ${spec.aliases.join(', ')}`] as const]),
    ...spec.args.map(argLine),
    ['muted', ''],
  ])
}

function argLine(arg: FunctionSpec['args'][number]): readonly [ColorRole, string] {
  const values = arg.values.map(value => value.value.toUpperCase()).join(' ')
  const form = arg.isPositional && values !== '' ? values : `${arg.name.toUpperCase()}=${arg.example ?? '…'}`
  return ['muted', `${arg.title}: ${form}`]
}

function paragraph(
  { width, style }: Pick<ScreenView, 'width' | 'style'>,
  parts: readonly (readonly [ColorRole, string])[],
): string[] {
  return parts.flatMap(([role, text]) =>
    wrap(text, Math.max(1, width - 2)).map(
      line => ` ${style.paint(role, line)}${' '.repeat(Math.max(0, width - 1 - cellWidth(line)))}`,
    ),
  )
}
