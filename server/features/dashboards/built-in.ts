import type { Board } from '../../../contracts/dashboards.ts'
import { listSql, readSql } from '../../../sql/read.ts'
import { readBoardFile } from './board-file.ts'

/** A board of `sql/dashboards`; its name is that of the file. */
export interface BuiltInBoard {
  readonly name: string
  readonly file: string
  readonly board: Board
}

let known: readonly BuiltInBoard[] | null = null

/** The boards that come with Cliptape, by name; read once. */
export function builtInBoards(): readonly BuiltInBoard[] {
  known ??= listSql('dashboards', '.yaml').map(fileName => {
    const file = readSql(`dashboards/${fileName}`)
    return { name: fileName.replace(/\.yaml$/, ''), file, board: readBoardFile(file) }
  })
  return known
}

/** The one of this name, or null. */
export function builtInBoard(name: string): BuiltInBoard | null {
  return builtInBoards().find(each => each.name === name) ?? null
}
