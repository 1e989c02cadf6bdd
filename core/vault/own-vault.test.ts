import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserIdSchema } from '../../contracts/ids.ts'
import type { Db } from '../db/port.ts'
import { openTestDb } from '../db/test-db.ts'
import { MasterKeys, masterKey } from './master-key.ts'
import { ownVault, prepareSealing } from './own-vault.ts'
import { secretId } from './place.ts'
import { addUser, describeVault, placeOf } from './port-suite.ts'
import { rotateVault } from './rotate.ts'
import { describeSupabaseVault } from './supabase-suite.ts'

const texts = { old: 'o'.repeat(43), next: 'n'.repeat(43), lost: 'l'.repeat(43) }
const keys = { old: masterKey(texts.old), next: masterKey(texts.next), lost: masterKey(texts.lost) }

let db: Db
beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

async function empty(): Promise<void> {
  await db.executeSql('delete from vault_secrets; delete from vault_sealing_key')
}

describe('the vault in our own tables', () => {
  const vault = ownVault(new MasterKeys(keys.old))
  describeVault(() => ({ db, vault }))

  it('keeps no plaintext and no key in its rows, and seals equal secrets differently', async () => {
    await empty()
    const owner = await addUser(db)
    const text = 'planted-plaintext-of-a-secret'
    await db.asUser(owner, async trx => {
      await vault.put(trx, placeOf(owner), text)
      await vault.put(trx, placeOf(owner), text)
    })
    const rows = await db.system.selectFrom('vault_secrets').selectAll().execute()
    const stored = rows.map(row => Buffer.concat([row.wrapped_key ?? Buffer.of(), row.ciphertext ?? Buffer.of()]))
    expect(stored.some(bytes => bytes.includes(text) || bytes.includes(texts.old))).toBe(false)
    expect(stored[0]?.equals(stored[1] ?? Buffer.of())).toBe(false)
    expect(rows.map(row => row.key_id)).toEqual([keys.old.id, keys.old.id])
  })

  it.each([
    ['owner', sql`owner_id = ${'00000000-0000-4000-8000-000000000001'}`],
    ['purpose', sql`purpose = 'refresh_token'`],
    ['id', sql`id = '00000000-0000-4000-8000-000000000002'`],
    ['ciphertext', sql`ciphertext = set_byte(ciphertext, 20, 255 - get_byte(ciphertext, 20))`],
    ['wrapped key', sql`wrapped_key = set_byte(wrapped_key, 20, 255 - get_byte(wrapped_key, 20))`],
    ['tag', sql`ciphertext = substring(ciphertext for length(ciphertext) - 1)`],
    ['everything', sql`ciphertext = ''`],
  ])('does not open a row whose %s was changed', async (_what, change) => {
    await empty()
    await db.executeSql(`insert into users (id, role) values ('00000000-0000-4000-8000-000000000001', 'user')
      on conflict do nothing`)
    const owner = await addUser(db)
    await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'a secret that is long enough'))
    await sql`update vault_secrets set ${change}`.execute(db.system)
    const opening = db.transaction(async trx => {
      const row = await trx.selectFrom('vault_secrets').selectAll().executeTakeFirstOrThrow()
      return await vault.read(
        trx,
        { ownerId: UserIdSchema.parse(row.owner_id), purpose: row.purpose },
        secretId(row.id),
      )
    })
    await expect(opening).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.not.stringContaining('long enough'),
    })
  })

  it('does not open what two rows of one owner were made to swap', async () => {
    await empty()
    const owner = await addUser(db)
    const [one, two] = await db.asUser(owner, async trx => [
      await vault.put(trx, placeOf(owner), 'one'),
      await vault.put(trx, placeOf(owner), 'two'),
    ])
    await db.executeSql(`update vault_secrets a set ciphertext = b.ciphertext, wrapped_key = b.wrapped_key
      from vault_secrets b where a.id <> b.id`)
    for (const id of [one, two]) {
      if (id === undefined) throw new Error('Both were put in.')
      await expect(db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).rejects.toMatchObject({
        code: 'INTERNAL',
      })
    }
  })

  it('says which key is missing when a secret was sealed with one that is not here', async () => {
    await empty()
    const owner = await addUser(db)
    const id = await db.asUser(owner, trx => ownVault(new MasterKeys(keys.lost)).put(trx, placeOf(owner), 'a'))
    await expect(db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
      message: expect.stringContaining(keys.lost.id),
    })
  })
})

describe('a rotation', () => {
  it('lets every node go on with the old key until it begins, then seals and wraps with the new one', async () => {
    await empty()
    const owner = await addUser(db)
    const [first, second] = [new MasterKeys(keys.old), new MasterKeys(keys.next, [keys.old])]
    await prepareSealing(db, first, { isSole: false })
    expect(await prepareSealing(db, second, { isSole: false })).toEqual({ keyId: keys.old.id, isHere: true })

    // The second node has the new key already; the first, which does not, can read what it puts in.
    const id = await db.asUser(owner, trx => ownVault(second).put(trx, placeOf(owner), 'a'))
    expect(await db.asUser(owner, trx => ownVault(first).read(trx, placeOf(owner), id))).toBe('a')

    first.add(keys.next)
    expect(await rotateVault(db, second)).toEqual({ rewrapped: 1, unreadable: 0 })
    const later = await db.asUser(owner, trx => ownVault(first).put(trx, placeOf(owner), 'b'))
    const rows = await db.system.selectFrom('vault_secrets').select(['key_id', 'id']).execute()
    expect(new Set(rows.map(row => row.key_id))).toEqual(new Set([keys.next.id]))
    const onlyNew = ownVault(new MasterKeys(keys.next))
    expect(await db.asUser(owner, trx => onlyNew.read(trx, placeOf(owner), id))).toBe('a')
    expect(await db.asUser(owner, trx => onlyNew.read(trx, placeOf(owner), later))).toBe('b')
  })

  it('can be stopped between batches, is readable meanwhile, and goes on where it was', async () => {
    await empty()
    const owner = await addUser(db)
    const ring = new MasterKeys(keys.old)
    const vault = ownVault(ring)
    const ids = await db.asUser(owner, async trx => {
      const made = []
      for (let n = 0; n < 25; n += 1) made.push(await vault.put(trx, placeOf(owner), `secret ${n}`))
      return made
    })
    ring.add(keys.next)
    const stop = new AbortController()
    const stopped = rotateVault(db, ring, {
      batchRows: 4,
      signal: stop.signal,
      onProgress: ({ rewrapped }) => rewrapped >= 8 && stop.abort(),
    })
    await expect(stopped).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    const readAll = (held: MasterKeys) =>
      db.asUser(owner, async trx => {
        const found = []
        for (const id of ids) found.push(await ownVault(held).read(trx, placeOf(owner), id))
        return found
      })
    const expected = ids.map((_, n) => `secret ${n}`)
    expect(await readAll(ring)).toEqual(expected)
    expect(await rotateVault(db, ring, { batchRows: 4 })).toEqual({ rewrapped: 17, unreadable: 0 })
    expect(await readAll(new MasterKeys(keys.next))).toEqual(expected)
    expect(await rotateVault(db, ring)).toEqual({ rewrapped: 0, unreadable: 0 })
  })

  it('passes over secrets of a lost key and damaged ones, and says how many', async () => {
    await empty()
    const owner = await addUser(db)
    const put = (ring: MasterKeys, text: string) =>
      db.asUser(owner, trx => ownVault(ring).put(trx, placeOf(owner), text))
    await put(new MasterKeys(keys.lost), 'lost')
    await put(new MasterKeys(keys.old), 'damaged')
    await db.executeSql(`update vault_secrets set wrapped_key = '\\x00' where key_id = '${keys.old.id}'`)
    const id = await put(new MasterKeys(keys.old), 'whole')
    const ring = new MasterKeys(keys.next, [keys.old])
    expect(await rotateVault(db, ring, { batchRows: 1 })).toEqual({ rewrapped: 1, unreadable: 2 })
    expect(await db.asUser(owner, trx => ownVault(new MasterKeys(keys.next)).read(trx, placeOf(owner), id))).toBe(
      'whole',
    )
  })
})

describe('the key that everybody seals with', () => {
  it('is not taken over by a node whose key is another one', async () => {
    await empty()
    const owner = await addUser(db)
    await prepareSealing(db, new MasterKeys(keys.old), { isSole: false })
    const wrong = new MasterKeys(keys.lost)
    expect(await prepareSealing(db, wrong, { isSole: false })).toEqual({ keyId: keys.old.id, isHere: false })
    await expect(db.asUser(owner, trx => ownVault(wrong).put(trx, placeOf(owner), 'a'))).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
    })
  })

  it("is this home's own after a backup came back without its key", async () => {
    await empty()
    await prepareSealing(db, new MasterKeys(keys.lost), { isSole: true })
    expect(await prepareSealing(db, new MasterKeys(keys.old), { isSole: true })).toEqual({
      keyId: keys.old.id,
      isHere: true,
    })
  })
})

describe('Supabase Vault, by its functions', () => {
  describeSupabaseVault(() => ({
    db,
    runAsAdmin: text => db.executeSql(text).then(() => undefined),
    login: 'postgres',
  }))
})
