import { actInForm, type FormSpec, type FormState, focusIn } from '../state/form.ts'
import { cellWidth, chunk, wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import type { DrawnForm } from '../widgets/form.ts'
import type { ActionCall, ScreenView } from './screen.ts'

/** The widest a form gets, in cells: longer lines are hard to follow. */
const formWidthMax = 92
const headWidthMax = 76

/** Something said above a form: wrapped by words, or cut anywhere where it has none (an address). */
export interface FormHead {
  text: string
  role: ColorRole
  isTitle?: boolean
  hasWords?: boolean
}

/**
 * A head and a form below it, in the upper middle of the body: exactly `height` lines of `width` cells. Where there is not
 * enough room, the line with the focus stays visible.
 */
export function centredForm(
  view: Pick<ScreenView, 'width' | 'height' | 'style'>,
  head: readonly FormHead[],
  draw: (room: { width: number }) => DrawnForm,
): DrawnForm {
  const { width, height, style } = view
  const formWidth = Math.min(width, formWidthMax)
  const left = Math.floor((width - formWidth) / 2)
  const form = draw({ width: formWidth })
  const headWidth = Math.min(formWidth - 4, headWidthMax)
  const headLines = head.flatMap(({ text, role, isTitle, hasWords }) =>
    (hasWords === false ? chunk(text, headWidth) : wrap(text, headWidth)).map(
      line => `   ${isTitle === true ? style.bold(role, line) : style.paint(role, line)}`,
    ),
  )
  headLines.push('')
  const all = [...headLines, ...form.lines]
  const focusY = headLines.length + form.focusY
  const above = Math.max(0, Math.min(3, Math.floor((height - all.length) / 3)))
  // A line of what follows stays visible as well: it may say what is wrong.
  const first = Math.max(0, Math.min(all.length - height, focusY - height + 3))
  const shift = above - first
  const pad = (line: string) => `${' '.repeat(left)}${line}${' '.repeat(Math.max(0, width - left - cellWidth(line)))}`
  const move = <T extends { x: number; y: number }>(at: T): T => ({
    ...at,
    x: at.x + left,
    y: at.y + headLines.length + shift,
  })
  return {
    lines: Array.from({ length: Math.max(0, height) }, (_, y) => pad(all[y - shift] ?? '')),
    cursor: form.cursor === null ? null : move(form.cursor),
    focusY: focusY + shift,
    targets: form.targets.map(move),
  }
}

/** What a press of the mouse does in a form: the focus goes there, and what can be pressed or chosen is. */
export function pressInForm(
  spec: FormSpec,
  form: FormState,
  call: ActionCall,
  drawn: Pick<DrawnForm, 'targets'>,
): { form: FormState; call: ActionCall } | null {
  const { at } = call
  if (at === undefined) return null
  const target = drawn.targets.find(each => each.y === at.y && at.x >= each.x && at.x < each.x + each.width)
  if (target === undefined) return null
  const focused = focusIn(form, target.field, target.option)
  const kind = spec.fields[target.field]?.kind
  if (kind === 'button') return { form: focused, call: { name: 'form.enter' } }
  if (kind !== 'choice') return { form: focused, call: { name: 'input.end' } }
  // The choice is made here; the action that goes on changes nothing.
  const chosen = actInForm(spec, focused, { name: 'form.text', text: ' ' })?.state ?? focused
  return { form: chosen, call: { name: 'form.text', text: '' } }
}
