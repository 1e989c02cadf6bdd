import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** A key that wraps data keys. Its id is no secret: it is stored beside what the key wrapped. */
export interface MasterKey {
  /** 16 hex digits that follow from the key and lead nowhere back. */
  readonly id: string
  readonly wrappingKey: KeyObject
}

/**
 * Makes a master key of a secret text (at least 32 characters of random, by the configuration's own check). What wraps
 * and what names it are derived apart, so the id says nothing about the key.
 */
export function masterKey(text: string): MasterKey {
  const id = Buffer.from(hkdfSync('sha256', text, 'cliptape.vault', 'key id v1', 8)).toString('hex')
  const wrapping = Buffer.from(hkdfSync('sha256', text, 'cliptape.vault', 'wrapping key v1', 32))
  return { id, wrappingKey: createSecretKey(wrapping) }
}

/**
 * The master keys that this process has: the newest, with which a rotation seals, and those that are still good for
 * reading. A rotation adds one while the process runs.
 */
export class MasterKeys {
  readonly #byId = new Map<string, MasterKey>()
  #newest: MasterKey

  constructor(newest: MasterKey, older: readonly MasterKey[] = []) {
    this.#newest = newest
    for (const key of [...older, newest]) this.#byId.set(key.id, key)
  }

  get newest(): MasterKey {
    return this.#newest
  }

  byId(id: string): MasterKey | undefined {
    return this.#byId.get(id)
  }

  /** Makes `key` the newest; the others stay for reading. */
  add(key: MasterKey): void {
    this.#byId.set(key.id, key)
    this.#newest = key
  }
}
