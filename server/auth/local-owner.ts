import { randomBytes } from 'node:crypto'
import { chmod, link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../contracts/errors.ts'

const tokenBytes = 32
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/**
 * The access token of the home's owner: 32 random bytes in base64url, kept in `<home>/owner-token` with mode 0600.
 * Made by the first call; every later one, from any process, reads the same.
 *
 * @throws AppError INTERNAL when the file holds something else: deleting it makes a new token
 */
export async function ensureOwnerToken(home: string): Promise<string> {
  const path = join(home, 'owner-token')
  const found = await readToken(path)
  if (found !== null) return found
  await writeOnce(path, `${randomBytes(tokenBytes).toString('base64url')}\n`)
  const token = await readToken(path)
  if (token === null) throw new AppError('INTERNAL', `The token file ${path} could not be read back.`)
  return token
}

async function readToken(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(error => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return null
  const token = text.trim()
  if (!tokenPattern.test(token)) {
    throw new AppError('INTERNAL', `The file ${path} holds no token: delete it, and the next start makes a new one.`)
  }
  await chmod(path, 0o600)
  return token
}

/** The file appears whole or not at all, and the first of two processes wins. */
async function writeOnce(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}`
  await writeFile(part, text, { mode: 0o600, flag: 'wx' })
  try {
    await link(part, path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  } finally {
    await rm(part, { force: true })
  }
}
