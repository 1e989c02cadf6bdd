/**
 * The vault on a real Postgres, and a change of its key that is killed again and again: no secret is ever unreadable,
 * and the change comes to its end.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { UserId } from '../../contracts/ids.ts'
import { type PostgresRig, startPostgres } from '../../test/services/postgres.ts'
import { stopChild } from '../../test/services/process.ts'
import { migrateDb } from '../db/migrate.ts'
import { openPglite } from '../db/pglite.ts'
import type { Db } from '../db/port.ts'
import { openPostgres } from '../db/postgres.ts'
import { prepareHome } from '../home.ts'
import { crashRotatorPath } from './crash-rotator.ts'
import { openHomeKeys } from './home-keys.ts'
import { MasterKeys, masterKey } from './master-key.ts'
import { ownVault, prepareSealing } from './own-vault.ts'
import type { SecretId } from './port.ts'
import { addUser, describeVault, placeOf } from './port-suite.ts'
import { rotateVault } from './rotate.ts'
import { describeSupabaseVault } from './supabase-suite.ts'

const log = pino({ level: 'silent' })
const keys = { old: masterKey('o'.repeat(43)), next: masterKey('n'.repeat(43)) }

describe('on Postgres', () => {
  let rig: PostgresRig
  let db: Db
  beforeAll(async () => {
    rig = await startPostgres()
    db = await openPostgres({ url: rig.url, log })
    await migrateDb(db)
  })
  afterAll(async () => {
    await db.close()
    await rig.stop()
  })

  describe('the vault in our own tables', () => {
    describeVault(() => ({ db, vault: ownVault(new MasterKeys(keys.old)) }))
  })

  describe('Supabase Vault, by its functions', () => {
    const runAsAdmin = async (text: string) => {
      const client = new pg.Client({ connectionString: rig.superuserUrl.replace(/\/postgres$/, '/cliptape') })
      await client.connect()
      await client.query(text).finally(() => client.end())
    }
    describeSupabaseVault(() => ({ db, runAsAdmin, login: 'cliptape' }))
  })

  it('changes its key while several nodes put, replace and read secrets', async () => {
    await db.executeSql('delete from vault_secrets; delete from vault_sealing_key')
    // Every node has both keys, as the documentation asks for before the change.
    const nodes = await Promise.all([1, 2, 3].map(() => openPostgres({ url: rig.url, log })))
    const owner = await addUser(db)
    await prepareSealing(db, new MasterKeys(keys.old), { isSole: false })
    const ring = () => new MasterKeys(keys.next, [keys.old])
    const expected = new Map<SecretId, string>()
    let isDone = false
    const busy = nodes.map(async (node, index) => {
      const vault = ownVault(ring())
      for (let n = 0; !isDone || n < 20; n += 1) {
        const text = `secret ${index} ${n}`
        const id = await node.asUser(owner, trx => vault.put(trx, placeOf(owner), text))
        if (n % 3 === 0) await node.asUser(owner, trx => vault.replace(trx, placeOf(owner), id, `${text} again`))
        const kept = n % 3 === 0 ? `${text} again` : text
        expect(await node.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe(kept)
        expected.set(id, kept)
      }
    })
    const total = await rotateVault(db, ring(), { batchRows: 2 }).finally(() => {
      isDone = true
    })
    await Promise.all(busy)
    expect(total.unreadable).toBe(0)
    const rows = await db.system.selectFrom('vault_secrets').select('key_id').distinct().execute()
    expect(rows).toEqual([{ key_id: keys.next.id }])
    const vault = ownVault(new MasterKeys(keys.next))
    for (const [id, text] of expected) {
      expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe(text)
    }
    await Promise.all(nodes.map(node => node.close()))
  })
})

describe('kill -9 in the middle of a change', () => {
  const secretCount = 60
  const rounds = 12

  it(`leaves every secret readable in ${rounds} rounds, and the next start goes on`, async () => {
    const paths = await prepareHome(await mkdtemp(join(tmpdir(), 'cliptape-rotate-')))
    const open = async <T>(
      work: (db: Db, home: Awaited<ReturnType<typeof openHomeKeys>>) => Promise<T>,
    ): Promise<T> => {
      const db = await openPglite({ dataDir: paths.relational, log })
      try {
        return await work(db, await openHomeKeys(paths, { key: null, previous: [] }))
      } finally {
        await db.close()
      }
    }
    const { owner, ids } = await open(async (db, home) => {
      await migrateDb(db)
      await prepareSealing(db, home.keys, { isSole: true })
      const owner = await addUser(db)
      const vault = ownVault(home.keys)
      const ids: SecretId[] = []
      for (let n = 0; n < secretCount; n += 1)
        ids.push(await db.asUser(owner, trx => vault.put(trx, placeOf(owner), `secret ${n}`)))
      return { owner, ids }
    })
    const expectAllReadable = (owner: UserId) =>
      open(async (db, home) => {
        const vault = ownVault(home.keys)
        for (const [n, id] of ids.entries())
          expect(await db.asUser(owner, trx => vault.read(trx, placeOf(owner), id))).toBe(`secret ${n}`)
        return home.keys.newest.id
      })

    const seen = new Set<string>([await expectAllReadable(owner)])
    let finished = 0
    for (let round = 0; round < rounds; round += 1) {
      // At each batch in turn, at the very beginning, and right after the last line.
      const killAt = round % 6 === 5 ? 'finished' : `batch ${3 * (1 + ((round * 7) % 18))}`
      const child = spawn(process.execPath, [crashRotatorPath, paths.root], { stdio: ['ignore', 'pipe', 'inherit'] })
      const closed = once(child, 'close')
      for await (const line of createInterface({ input: child.stdout })) {
        if (line === 'finished') finished += 1
        if (line === killAt) await stopChild(child, 'SIGKILL')
      }
      await closed
      seen.add(await expectAllReadable(owner))
    }
    console.log(
      `Vault: ${rounds} changes, ${rounds - finished} killed before their end, ${secretCount} secrets, 0 lost`,
    )
    expect(finished).toBeLessThan(rounds)
    expect(seen.size).toBeGreaterThan(1)
    await open(async (db, home) => {
      await home.begin()
      await rotateVault(db, home.keys)
      await home.finish()
      const rows = await db.system.selectFrom('vault_secrets').select('key_id').distinct().execute()
      expect(rows).toEqual([{ key_id: home.keys.newest.id }])
    })
    await expectAllReadable(owner)
    await rm(paths.root, { recursive: true })
  })
})
