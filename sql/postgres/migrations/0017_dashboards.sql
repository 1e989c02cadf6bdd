-- Boards that users saved. Row level security shows a user their own; those that others share or publish are read by
-- the application's own role, which asks for their visibility.
create table dashboards (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  -- Stands in `board` as well; here for lists.
  name text not null,
  board jsonb not null,
  -- The same board as a file, with the comments that its author wrote.
  file text not null,
  visibility text not null default 'private' check (visibility in ('private', 'shared', 'public')),
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index dashboards_owner on dashboards (owner_id, updated_at desc);
create index dashboards_public on dashboards (updated_at desc) where visibility = 'public';
call protect_rows('dashboards', 'owner_id', 'select, insert, update, delete');
