import { AppError } from '../../contracts/errors.ts'

/** The entity tag of something that counts its changes. */
export function versionTag(version: number): string {
  return `"${version}"`
}

/**
 * Refuses a change that was made of an older version. Without `If-Match` the last one to write wins.
 * @param name what it is called in the sentence, e.g. "board"
 * @throws AppError PRECONDITION_FAILED
 */
export function assertVersion(ifMatch: string | undefined, version: number, name: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return
  if (ifMatch.split(',').some(tag => tag.trim() === versionTag(version))) return
  throw new AppError(
    'PRECONDITION_FAILED',
    `This ${name} was changed meanwhile and has version ${version} now: read it again, then change it.`,
    { details: { version } },
  )
}
