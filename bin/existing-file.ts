import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AppError } from '../contracts/errors.ts'
import type { VerbContext } from './verb-context.ts'

/**
 * The absolute path of a file that a person has named, so that a server with another working folder finds it.
 * @throws AppError NOT_FOUND, or BAD_REQUEST for a folder
 */
export async function existingFile(context: VerbContext, name: string): Promise<string> {
  const path = resolve(context.cwd, name)
  const found = await stat(path).catch(() => null)
  if (found === null) throw new AppError('NOT_FOUND', `The file ${path} is not there: check its name.`)
  if (found.isDirectory()) throw new AppError('BAD_REQUEST', `${path} is a folder: name the files in it.`)
  return path
}
