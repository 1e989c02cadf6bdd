-- The vault: every secret that a user gives us or a platform issues. Other tables hold its id alone. Rows without an owner are
-- the installation's own and invisible to cliptape_app.
create table vault_secrets (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid references users (id) on delete cascade,
  -- What it is, e.g. webhook_secret: part of what the ciphertext is bound to, with id and owner.
  purpose text not null,
  -- Sealed by us: which master key wraps the data key.
  key_id text,
  wrapped_key bytea,
  ciphertext bytea,
  -- Or kept in Supabase Vault, under this id.
  external_id uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (case when external_id is null
    then key_id is not null and wrapped_key is not null and ciphertext is not null
    else key_id is null and wrapped_key is null and ciphertext is null end)
);
create index vault_secrets_owner on vault_secrets (owner_id);
create index vault_secrets_key on vault_secrets (key_id);
call protect_rows('vault_secrets', 'owner_id', 'select, insert, update, delete');

-- The key that everybody seals with, by its id: one row.
create table vault_sealing_key (
  is_only boolean primary key default true check (is_only),
  key_id text not null
);
-- Everybody reads it and only we write it.
alter table vault_sealing_key enable row level security;
alter table vault_sealing_key force row level security;
create policy vault_sealing_key_read on vault_sealing_key for select to cliptape_app using (true);
create policy vault_sealing_key_system on vault_sealing_key to current_user using (true) with check (true);
grant select on vault_sealing_key to cliptape_app;

-- A row that refers to Supabase Vault takes its secret along, also when it goes with its owner. The
-- function is bound when it first runs.
create function vault_forget_external() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- A copy that came back elsewhere has the rows and not the secrets.
  if to_regclass('vault.secrets') is not null then
    delete from vault.secrets where id = old.external_id;
  end if;
  return null;
end $$;
create trigger vault_secrets_forget after delete on vault_secrets
  for each row when (old.external_id is not null) execute function vault_forget_external();
