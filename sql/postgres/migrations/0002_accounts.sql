-- Accounts: passwords, sessions, sign-in by others, single-use links, and the keys that sign sessions.

-- Row level security for a table with an owner: cliptape_app has the rights named, on rows of app.user_id alone;
-- the login that runs the migrations keeps everything for our own bookkeeping. `rights` is text of ours, never a user's.
create procedure protect_rows(table_name text, owner_column text, rights text) language plpgsql as $$
begin
  execute format('alter table %I enable row level security', table_name);
  execute format('alter table %I force row level security', table_name);
  execute format('create policy %I on %I to cliptape_app using (%I = app_user_id()) with check (%I = app_user_id())',
    table_name || '_own', table_name, owner_column, owner_column);
  execute format('create policy %I on %I to current_user using (true) with check (true)', table_name || '_system', table_name);
  if rights <> '' then
    execute format('grant %s on %I to cliptape_app', rights, table_name);
  end if;
end $$;

alter table users add column email_verified_at timestamptz;
alter table users add column plan text not null default 'free' check (plan in ('free', 'pro', 'premium'));
-- One account per address, however it is written.
create unique index users_email_lower on users (lower(email));

-- Apart from users, which their owner may read: nobody reads a password hash as cliptape_app.
create table passwords (
  user_id uuid primary key references users (id) on delete cascade,
  -- PHC string: $argon2id$v=19$m=…,t=…,p=…$salt$hash
  hash text not null,
  updated_at timestamptz not null default now()
);
call protect_rows('passwords', 'user_id', '');

-- Who signs in through somebody else: Google, Supabase.
create table identities (
  provider text not null check (provider in ('google', 'supabase')),
  subject text not null,
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null default now(),
  primary key (provider, subject)
);
create index identities_user on identities (user_id);
call protect_rows('identities', 'user_id', 'select');

-- A session is a family of refresh tokens, of which the newest alone is good: an old one that comes again was stolen, and
-- ends the family.
create table sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null default now(),
  used_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  end_reason text check (end_reason in ('logout', 'reuse', 'password_changed', 'account_deleted'))
);
create index sessions_user on sessions (user_id, created_at desc);
call protect_rows('sessions', 'user_id', 'select');

create table refresh_tokens (
  -- SHA-256 of the token.
  token_hash bytea primary key,
  session_id uuid not null references sessions (id) on delete cascade,
  user_id uuid not null references users (id) on delete cascade,
  created_at timestamptz not null default now(),
  used_at timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);
call protect_rows('refresh_tokens', 'user_id', '');

-- Links of one use that were sent by mail: the signature says who and what for, this row that it was not used yet.
create table mail_links (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  purpose text not null check (purpose in ('verify_email', 'reset_password')),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index mail_links_user on mail_links (user_id, purpose);
call protect_rows('mail_links', 'user_id', '');

-- Keys that sign access tokens. `sealed` is the key under AES-256-GCM with a key made of JWT_SECRET.
create table signing_keys (
  kid text primary key,
  sealed bytea not null,
  created_at timestamptz not null default now(),
  -- From then on it signs nothing new; what it signed is good until it ends.
  retired_at timestamptz
);
