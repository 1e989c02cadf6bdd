import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import type { Db } from '../db/port.ts'
import { MasterKeys, masterKey } from './master-key.ts'
import { ownVault } from './own-vault.ts'
import { addUser, describeVault, placeOf } from './port-suite.ts'
import { supabaseVault } from './supabase-vault.ts'

/**
 * The functions and the view of Supabase Vault that we use, with their names, parameters and columns. What they keep is
 * not encrypted here: that is the extension's part, which cannot be installed outside a Supabase project.
 */
const standIn = (login: string) => `
  create schema if not exists vault;
  create table if not exists vault.secrets (id uuid primary key default gen_random_uuid(), name text, description text not null
    default '', secret text not null, key_id uuid, nonce bytea, created_at timestamptz not null default now(),
    updated_at timestamptz not null default now());
  create unique index if not exists secrets_name_idx on vault.secrets (name) where name is not null;
  create or replace view vault.decrypted_secrets as select id, name, description, secret, secret as decrypted_secret, key_id,
    nonce, created_at, updated_at from vault.secrets;
  create or replace function vault.create_secret(new_secret text, new_name text default null, new_description text default '',
    new_key_id uuid default null) returns uuid language sql security definer set search_path = ''
    as $$ insert into vault.secrets (secret, name, description) values (new_secret, new_name, new_description) returning id $$;
  create or replace function vault.update_secret(secret_id uuid, new_secret text default null, new_name text default null,
    new_description text default null, new_key_id uuid default null) returns void language sql security definer set search_path = ''
    as $$ update vault.secrets set secret = coalesce(new_secret, secret), updated_at = now() where id = secret_id $$;
  revoke all on schema vault from public;
  revoke all on all functions in schema vault from public;
  grant usage on schema vault to ${login};
  grant select, delete on vault.secrets, vault.decrypted_secrets to ${login};
  grant execute on all functions in schema vault to ${login};`

/** @param rig `runAsAdmin` runs SQL as whoever may make schemas; `login` is whom `db` logs in as */
export function describeSupabaseVault(
  rig: () => { db: Db; runAsAdmin: (text: string) => Promise<void>; login: string },
): void {
  const vault = supabaseVault()
  beforeAll(() => rig().runAsAdmin(standIn(rig().login)))
  describeVault(() => ({ db: rig().db, vault }))

  async function keptCount(): Promise<number> {
    const { rows } = await rig().db.executeSql('select count(*)::int as n from vault.secrets')
    return Number(rows[0]?.n)
  }

  it('keeps nothing but a reference in our row', async () => {
    const { db } = rig()
    const owner = await addUser(db)
    const id = await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'planted'))
    const row = await db.system.selectFrom('vault_secrets').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    expect(row).toMatchObject({ key_id: null, wrapped_key: null, ciphertext: null, external_id: expect.any(String) })
    expect(JSON.stringify(row)).not.toContain('planted')
  })

  it('forgets the secrets of an account that is deleted', async () => {
    const { db } = rig()
    const owner = await addUser(db)
    const before = await keptCount()
    await db.asUser(owner, trx => vault.put(trx, placeOf(owner), 'a'))
    expect(await keptCount()).toBe(before + 1)
    await db.system.deleteFrom('users').where('id', '=', owner).execute()
    expect(await keptCount()).toBe(before)
  })

  it('is closed to the role of requests', async () => {
    const { db } = rig()
    const owner = await addUser(db)
    await expect(
      db.asUser(owner, trx => sql`select * from vault.decrypted_secrets`.execute(trx)),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('and our own vault do not take each other for theirs', async () => {
    const { db } = rig()
    const owner = await addUser(db)
    const own = ownVault(new MasterKeys(masterKey('o'.repeat(43))))
    const [there, here] = await db.asUser(owner, async trx => [
      await vault.put(trx, placeOf(owner), 'a'),
      await own.put(trx, placeOf(owner), 'b'),
    ])
    if (there === undefined || here === undefined) throw new Error('Both were put in.')
    await expect(db.asUser(owner, trx => own.read(trx, placeOf(owner), there))).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
    })
    await expect(db.asUser(owner, trx => vault.read(trx, placeOf(owner), here))).rejects.toMatchObject({
      code: 'NOT_CONFIGURED',
    })
  })
}
