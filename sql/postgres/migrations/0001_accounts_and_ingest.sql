-- People, and what ingestion keeps about its runs. Every table with an owner has row level security from the start:
-- requests run as cliptape_app, which owns nothing and cannot bypass it, with app.user_id set per transaction.
--
-- The login that runs this owns the tables. Forced row level security holds for owners too, so each table has two
-- policies: the rows of app.user_id for cliptape_app, everything for the owner's own bookkeeping. The login must be able
-- to become cliptape_app; where it may not create roles, an administrator has made the role and granted it before.
do $$ begin
  if not exists (select from pg_roles where rolname = 'cliptape_app') then
    create role cliptape_app nologin nobypassrls;
    if not (select rolsuper from pg_roles where rolname = current_user) then
      execute format('grant cliptape_app to %I', current_user);
    end if;
  end if;
end $$;
grant usage on schema public to cliptape_app;

create function app_user_id() returns uuid language sql stable as
$$ select nullif(current_setting('app.user_id', true), '')::uuid $$;

create table users (
  id uuid primary key default gen_random_uuid(),
  email text unique,
  role text not null check (role in ('owner', 'user', 'admin')),
  is_local boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index users_one_local on users (is_local) where is_local;
alter table users enable row level security;
alter table users force row level security;
create policy users_self on users to cliptape_app using (id = app_user_id());
create policy users_system on users to current_user using (true) with check (true);
grant select on users to cliptape_app;

create table imports (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  file_name text not null,
  file_sha256 text not null,
  format text not null,
  status text not null check (status in ('running', 'done', 'failed')),
  summary jsonb,
  started_at timestamptz not null default now(),
  finished_at timestamptz
);
create index imports_owner on imports (owner_id, started_at desc);

create table dead_letters (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  dedupe_key text not null unique,
  source text not null,
  format text not null,
  region text not null default '',
  reason text not null,
  message text not null,
  file_name text not null,
  line integer,
  payload bytea not null,
  status text not null default 'kept' check (status in ('kept', 'replayed', 'discarded')),
  created_at timestamptz not null default now()
);
create index dead_letters_owner on dead_letters (owner_id, status, created_at desc);

create table drop_counts (
  owner_id uuid not null references users (id) on delete cascade,
  source text not null,
  reason text not null,
  row_count bigint not null,
  primary key (owner_id, source, reason)
);

create table settings (
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (owner_id, name)
);

do $$ declare t text; begin
  foreach t in array array['imports', 'dead_letters', 'drop_counts', 'settings'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy %I on %I to cliptape_app using (owner_id = app_user_id()) with check (owner_id = app_user_id())', t || '_own', t);
    execute format('create policy %I on %I to current_user using (true) with check (true)', t || '_system', t);
    execute format('grant select, insert, update, delete on %I to cliptape_app', t);
  end loop;
end $$;
