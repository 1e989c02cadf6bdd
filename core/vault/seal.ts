/**
 * Envelope encryption of one secret: AES-256-GCM under a data key of its own, and the data key under a master key, again
 * AES-256-GCM. A rotation wraps the small data key anew and never touches the ciphertext.
 *
 * Both layers are bound to where they belong (id, owner, purpose; the wrapping also to the id of its master key): bytes
 * that somebody moved to another row, another owner or another purpose do not open. A sealed part is
 * nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes). Nonces are random: a data key seals once, and a master key may wrap
 * 2^32 data keys before chance becomes a concern.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import type { MasterKey } from './master-key.ts'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16

/** What a secret is bound to. */
export interface Binding {
  readonly id: string
  readonly ownerId: string | null
  readonly purpose: string
}

/** A secret as it is stored. */
export interface SealedSecret {
  readonly keyId: string
  readonly wrappedKey: Buffer
  readonly ciphertext: Buffer
}

export function seal(master: MasterKey, binding: Binding, plaintext: string): SealedSecret {
  const dataKey = randomBytes(32)
  try {
    return {
      keyId: master.id,
      wrappedKey: wrap(master, binding, dataKey),
      ciphertext: encrypt(createSecretKey(dataKey), contextOf(binding), Buffer.from(plaintext, 'utf8')),
    }
  } finally {
    dataKey.fill(0)
  }
}

/** @throws Error when anything was changed or moved, or the master key is another one */
export function unseal(master: MasterKey, binding: Binding, sealed: SealedSecret): string {
  const dataKey = unwrap(master, binding, sealed.wrappedKey)
  try {
    return decrypt(createSecretKey(dataKey), contextOf(binding), sealed.ciphertext).toString('utf8')
  } finally {
    dataKey.fill(0)
  }
}

/** The data key of one secret under another master key. @throws Error as `unseal` */
export function rewrap(keys: { from: MasterKey; to: MasterKey }, binding: Binding, wrappedKey: Buffer): Buffer {
  const dataKey = unwrap(keys.from, binding, wrappedKey)
  try {
    return wrap(keys.to, binding, dataKey)
  } finally {
    dataKey.fill(0)
  }
}

function wrap(master: MasterKey, binding: Binding, dataKey: Buffer): Buffer {
  return encrypt(master.wrappingKey, contextOf(binding, master.id), dataKey)
}

function unwrap(master: MasterKey, binding: Binding, wrappedKey: Buffer): Buffer {
  return decrypt(master.wrappingKey, contextOf(binding, master.id), wrappedKey)
}

/** A list in JSON has one reading only: no part can be taken for the end of another. */
function contextOf({ id, ownerId, purpose }: Binding, keyId?: string): Buffer {
  return Buffer.from(JSON.stringify(['cliptape.vault.v1', id, ownerId, purpose, ...(keyId ? [keyId] : [])]))
}

function encrypt(key: KeyObject, context: Buffer, plaintext: Buffer): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(context)
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: KeyObject, context: Buffer, sealed: Buffer): Buffer {
  if (sealed.length < nonceBytes + tagBytes) throw new Error('A sealed part is too short.')
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(context).setAuthTag(sealed.subarray(-tagBytes))
  return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
}
