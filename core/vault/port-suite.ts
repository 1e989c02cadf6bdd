import { expect, it } from 'vitest'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Db } from '../db/port.ts'
import type { SecretPlace, Vault } from './port.ts'

/** Makes a user to own secrets. */
export async function addUser(db: Db): Promise<UserId> {
  const { id } = await db.system
    .insertInto('users')
    .values({ email: null, role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(id)
}

export function placeOf(ownerId: UserId | null, purpose = 'webhook_secret'): SecretPlace {
  return { ownerId, purpose }
}

/** What every vault promises, on whichever store. */
export function describeVault(rig: () => { db: Db; vault: Vault }): void {
  it('gives a secret back to its owner, for what it was put in for', async () => {
    const { db, vault } = rig()
    const owner = await addUser(db)
    const text = 'ключ 🔑 with "quotes"\nand lines'
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), text))
    expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe(text)
  })

  it('does not know it under another purpose', async () => {
    const { db, vault } = rig()
    const owner = await addUser(db)
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'a'))
    const other = placeOf(owner, 'refresh_token')
    await expect(db.asUser(owner, trx => vault.read(trx, other, id))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(db.asUser(owner, trx => vault.replace(trx, other, id, 'b'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    await db.asUser(owner, trx => vault.remove(trx, other, id))
    expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe('a')
  })

  it('does not know it for another user, whoever he says he is', async () => {
    const { db, vault } = rig()
    const [owner, stranger] = [await addUser(db), await addUser(db)]
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'a'))
    for (const place of [placeOf(owner), placeOf(stranger), placeOf(null)]) {
      await expect(db.asUser(stranger, trx => vault.read(trx, place, id))).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await expect(db.asUser(stranger, trx => vault.replace(trx, place, id, 'b'))).rejects.toMatchObject({
        code: 'NOT_FOUND',
      })
      await db.asUser(stranger, trx => vault.remove(trx, place, id))
    }
    await expect(db.asUser(stranger, trx => vault.put(trx, placeOf(owner), 'mine now'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe('a')
  })

  it("keeps the installation's own secrets from every user", async () => {
    const { db, vault } = rig()
    const user = await addUser(db)
    const id = await db.transaction(trx => vault.put(trx, placeOf(null), 'ours'))
    await expect(db.asUser(user, trx => vault.read(trx, placeOf(null), id))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
    expect(await db.transaction(trx => vault.read(trx, placeOf(null), id))).toBe('ours')
  })

  it('replaces the text under the same reference', async () => {
    const { db, vault } = rig()
    const owner = await addUser(db)
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'old'))
    await db.asUser(owner, trx => vault.replace(trx, placeOf(owner), id, 'new'))
    expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe('new')
  })

  it('forgets what is removed, and removing again is no error', async () => {
    const { db, vault } = rig()
    const owner = await addUser(db)
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'a'))
    await db.asUser(owner, trx => vault.remove(trx, placeOf(owner), id))
    await db.asUser(owner, trx => vault.remove(trx, placeOf(owner), id))
    await expect(db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('puts nothing in when the transaction around it fails', async () => {
    const { db, vault } = rig()
    const owner = await addUser(db)
    const failing = db.asUser(owner, async trx => {
      await vault.put(trx, placeOf(owner), 'a')
      throw new Error('later')
    })
    await expect(failing).rejects.toThrow('later')
    const rows = await db.system.selectFrom('vault_secrets').select('id').where('owner_id', '=', owner).execute()
    expect(rows).toEqual([])
  })

  it('takes 64 KiB and refuses more', async () => {
    const { db, vault } = rig()
    const owner = await addUser(db)
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'x'.repeat(65_536)))
    expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toHaveLength(65_536)
    const more = 'x'.repeat(65_537)
    await expect(db.asUser(owner, trx => vault.put(trx, placeOf(owner), more))).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    })
    await expect(db.asUser(owner, trx => vault.replace(trx, placeOf(owner), id, more))).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    })
  })

  it('is not changed by a user who acts as himself afterwards: the role of the transaction stays', async () => {
    const { db, vault } = rig()
    const [owner, other] = [await addUser(db), await addUser(db)]
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'a'))
    const visible = await db.asUser(other, async trx => {
      const own = await vault.put(trx, placeOf(other), 'b')
      await vault.replace(trx, placeOf(other), own, 'c')
      await vault.read(trx, placeOf(other), own)
      return await trx.selectFrom('vault_secrets').select('id').execute()
    })
    expect(visible.map(row => row.id)).not.toContain(id)
    expect(visible).toHaveLength(1)
  })
}
