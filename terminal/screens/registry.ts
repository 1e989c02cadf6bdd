import type { FunctionName } from '../command/functions.ts'
import { desFactory } from './des.ts'
import { gpFactory } from './gp.ts'
import { idxFactory } from './idx.ts'
import type { ScreenFactory } from './screen.ts'

/** Every screen. A function that is not here acts on the terminal itself (THEME, COLOR, MOUSE, QUIT). */
const factories: readonly ScreenFactory[] = [idxFactory, gpFactory, desFactory]

const byFunction = new Map(factories.map(factory => [factory.fn, factory]))

/** The screen of a function, or null when it has none. */
export function findScreen(fn: FunctionName): ScreenFactory | null {
  return byFunction.get(fn) ?? null
}
