import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../contracts/errors.ts'
import { ensureSecrets, type HomePaths } from '../home.ts'
import { MasterKeys, masterKey } from './master-key.ts'

/**
 * The master keys of one process, from the configuration or from the home.
 *
 * Without VAULT_KEY the key is the file `secrets/vault-key`. A rotation writes the next one beside it, `vault-key.next`,
 * on disk before anything is sealed with it; from then on every start reads both, whichever way the rotation before it
 * ended. When nothing is sealed with the old key any more the next file takes its name, and the old key is gone.
 */
export interface HomeKeys {
  readonly keys: MasterKeys
  /** A rotation was begun and not finished. */
  isRotating(): boolean
  /**
   * Has the key to change to: a new file, or the one of a rotation that was begun; with VAULT_KEY it is that.
   * @throws AppError NOT_CONFIGURED when VAULT_KEY is set and there is no other key to change from
   */
  begin(): Promise<void>
  /** Everything is sealed with the newest key: the old file goes. */
  finish(): Promise<void>
}

/** Reads the keys; makes the file of a new home. `previous` are keys that are still good for reading. */
export async function openHomeKeys(
  paths: HomePaths,
  given: { readonly key: string | null; readonly previous: readonly string[] },
): Promise<HomeKeys> {
  const file = join(paths.secrets, 'vault-key')
  const nextFile = `${file}.next`
  const previous = given.previous.map(masterKey)
  if (given.key !== null) {
    // Before VAULT_KEY was set, the home may have sealed with its own key.
    const own = existsSync(file) ? [masterKey(await readKey(file))] : []
    const keys = new MasterKeys(masterKey(given.key), [...own, ...previous])
    return {
      keys,
      isRotating: () => false,
      async begin() {
        if (previous.length + own.length > 0) return
        throw new AppError(
          'NOT_CONFIGURED',
          'VAULT_KEY is the only key: set VAULT_KEY to a new one and VAULT_KEY_PREVIOUS to the present one on every node, start them again, and run this once more.',
        )
      },
      finish: async () => undefined,
    }
  }
  const present = (await ensureSecrets(paths, { VAULT_KEY: null })).get('VAULT_KEY') ?? ''
  const keys = new MasterKeys(masterKey(present), previous)
  const addNext = async () => keys.add(masterKey(await readKey(nextFile)))
  if (existsSync(nextFile)) await addNext()
  return {
    keys,
    isRotating: () => existsSync(nextFile),
    async begin() {
      if (existsSync(nextFile)) return
      await writeKey(nextFile, paths.secrets)
      await addNext()
    },
    async finish() {
      if (!existsSync(nextFile)) return
      await rename(nextFile, file)
      await syncFolder(paths.secrets)
    },
  }
}

async function readKey(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim()
}

/** The file is there whole, and on disk, or not at all: what is sealed with a key that was lost is lost. */
async function writeKey(path: string, folder: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(randomBytes(32).toString('base64url'))
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFolder(folder)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path)
  await folder.sync().finally(() => folder.close())
}
