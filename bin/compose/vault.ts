import { AppError } from '../../contracts/errors.ts'
import type { Db } from '../../core/db/port.ts'
import { openHomeKeys } from '../../core/vault/home-keys.ts'
import { ownVault, prepareSealing } from '../../core/vault/own-vault.ts'
import type { Vault } from '../../core/vault/port.ts'
import { type RotationProgress, rotateVault } from '../../core/vault/rotate.ts'
import { supabaseVault } from '../../core/vault/supabase-vault.ts'
import type { OpenOptions } from './stores.ts'

/** The vault as it is configured, and the change of its master key. */
export interface OpenVault {
  readonly vault: Vault
  /** @throws AppError NOT_CONFIGURED when there is no key to change to, or the vault is not ours */
  rotate(onProgress: (progress: RotationProgress) => void, signal: AbortSignal): Promise<RotationProgress>
}

/** Opens the vault. A rotation of this home that a crash interrupted goes on beside everything else. */
export async function openVault({ config, paths, scope, log }: OpenOptions, db: Db): Promise<OpenVault> {
  if (config.vault.store === 'supabase') return { vault: supabaseVault(), rotate: refuseToRotate }
  const isSole = config.stores.profile === 'embedded'
  const home = await openHomeKeys(paths, { key: config.secrets.VAULT_KEY, previous: config.vault.previousKeys })
  const { keyId, isHere } = await prepareSealing(db, home.keys, { isSole })
  if (!isHere) {
    log.warn(
      { keyId },
      'The vault is sealed with a key that this process does not have: put it into VAULT_KEY_PREVIOUS. Until then nothing that needs a secret works here.',
    )
  }

  /** One after the other: a second one would begin with a key of its own. */
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work)
    last = result.catch(() => undefined)
    return result
  }
  const rotate: OpenVault['rotate'] = (onProgress, signal) =>
    inTurn(async () => {
      await home.begin()
      const done = await rotateVault(db, home.keys, { onProgress, signal })
      await home.finish()
      return done
    })

  if (home.isRotating()) {
    const stop = new AbortController()
    const resumed = rotate(() => undefined, stop.signal).then(
      done => log.info(done, 'A change of the vault key that was interrupted is done.'),
      err => log.warn({ err }, 'The change of the vault key is not done yet: `cliptape vault rotate` goes on with it.'),
    )
    await scope.start(
      'vault rotation',
      () => resumed,
      () => stop.abort(),
    )
  }
  return { vault: ownVault(home.keys), rotate }
}

async function refuseToRotate(): Promise<never> {
  throw new AppError('NOT_CONFIGURED', 'Supabase keeps the keys of its vault itself: change them in the project.')
}
