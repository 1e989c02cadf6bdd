-- The vault: every secret that a user gives us or a platform issues. Other tables hold its id alone. Rows without an owner are
-- the installation's own and invisible to cliptape_app.
create table vault_secrets (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid references users (id) on delete cascade,
  -- What it is, e.g. webhook_secret: part of what the ciphertext is bound to, with id and owner.
  purpose text not null,
  -- Which master key wraps the data key.
  key_id text not null,
  wrapped_key bytea not null,
  ciphertext bytea not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index vault_secrets_owner on vault_secrets (owner_id);
create index vault_secrets_key on vault_secrets (key_id);
call protect_rows('vault_secrets', 'owner_id', 'select, insert, update, delete');
