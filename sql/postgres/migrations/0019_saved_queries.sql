-- Queries that users saved. Row level security shows a user their own; those that others share or publish are read by the
-- application's own role, which asks for their visibility.
create table saved_queries (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  description text not null,
  sql text not null,
  -- In the order of the SQL, with their types: contracts/queries.ts.
  parameters jsonb not null,
  visibility text not null default 'private' check (visibility in ('private', 'shared', 'public')),
  version integer not null default 1,
  -- Views that it reads, e.g. v.samples.
  tables text[] not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index saved_queries_name on saved_queries (owner_id, lower(name));
create index saved_queries_owner on saved_queries (owner_id, updated_at desc, id);
create index saved_queries_public on saved_queries (updated_at desc, id) where visibility = 'public';
call protect_rows('saved_queries', 'owner_id', 'select, insert, update, delete');

-- What each version said, the present one included.
create table query_versions (
  query_id uuid not null references saved_queries (id) on delete cascade,
  version integer not null,
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  description text not null,
  sql text not null,
  parameters jsonb not null,
  created_at timestamptz not null,
  primary key (query_id, version)
);
create index query_versions_owner on query_versions (owner_id);
call protect_rows('query_versions', 'owner_id', 'select, insert, delete');
