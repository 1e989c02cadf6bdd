import type { FunctionName } from '../command/functions.ts'
import { acctFactory } from './acct.ts'
import { alrtFactory } from './alrt.ts'
import { apiFactory } from './api.ts'
import { billFactory } from './bill.ts'
import { boardFactory } from './board.ts'
import { clipsFactory } from './clips.ts'
import { crmFactory } from './crm.ts'
import { cutFactory } from './cut.ts'
import { desFactory } from './des.ts'
import { findFactory } from './find.ts'
import { gpFactory } from './gp.ts'
import { helpFactory } from './help.ts'
import { idxFactory } from './idx.ts'
import { keysFactory } from './keys.ts'
import { loginFactory, registerFactory } from './login.ts'
import { mediaFactory } from './media.ts'
import { opsFactory } from './ops.ts'
import type { ScreenFactory } from './screen.ts'
import { sqlFactory } from './sql.ts'
import { movFactory, topFactory } from './trend-list.ts'
import { vodFactory } from './vod.ts'
import { wlFactory } from './wl.ts'

/** Every screen. A function that is not here acts on the terminal itself (LOGOUT, THEME, COLOR, PICTURES, MOUSE, QUIT). */
const factories: readonly ScreenFactory[] = [
  topFactory,
  movFactory,
  idxFactory,
  gpFactory,
  desFactory,
  opsFactory,
  apiFactory,
  billFactory,
  acctFactory,
  findFactory,
  vodFactory,
  mediaFactory,
  cutFactory,
  clipsFactory,
  keysFactory,
  crmFactory,
  alrtFactory,
  wlFactory,
  sqlFactory,
  boardFactory,
  loginFactory,
  registerFactory,
  helpFactory,
]

const byFunction = new Map(factories.map(factory => [factory.fn, factory]))

/** The screen of a function, or null when it has none. */
export function findScreen(fn: FunctionName): ScreenFactory | null {
  return byFunction.get(fn) ?? null
}
