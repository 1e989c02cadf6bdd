-- Alerts: rules over measures and saved queries, what fired, and the mails about it. A watcher of any node claims a rule
-- with a lease, reads what it is about, and writes what came of it only while the lease is still its own.
create table alerts (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  -- The measure, the condition and where it is told: contracts/alerts.ts.
  rule jsonb not null,
  -- Counts the changes of the rule.
  version integer not null default 1,
  is_enabled boolean not null default true,
  muted_until timestamptz,
  -- Whose readings can change it: those of platforms, or of a single clip by its id; empty where nobody knows.
  reads text[] not null,
  -- The shortest time between two evaluations.
  spacing_seconds integer not null,
  -- What the evaluations before have left: which rows have fired, and what stood on the list.
  memory jsonb not null default '{}',
  -- The last reading, and its instant in data time.
  value double precision,
  value_at timestamptz,
  last_error text,
  fired_at timestamptz,
  checked_at timestamptz,
  next_check_at timestamptz not null default now(),
  lease_id uuid,
  lease_until timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index alerts_owner on alerts (owner_id, created_at desc);
create index alerts_due on alerts (next_check_at) where is_enabled;
call protect_rows('alerts', 'owner_id', 'select, insert, update, delete');

create table alert_firings (
  id uuid primary key default gen_random_uuid(),
  alert_id uuid not null references alerts (id) on delete cascade,
  owner_id uuid not null references users (id) on delete cascade,
  -- Of the rule that fired.
  version integer not null,
  -- Which numbers it was about: cliptape, or replay.
  world text not null,
  -- Data time of the reading.
  at timestamptz not null,
  sentence text not null,
  value double precision,
  -- The rows that caused it, the first ones of many.
  rows jsonb not null,
  row_count integer not null,
  is_muted boolean not null,
  -- Where it was told.
  channels text[] not null,
  fired_at timestamptz not null,
  seen_at timestamptz
);
create index alert_firings_log on alert_firings (owner_id, fired_at desc, id desc);
create index alert_firings_alert on alert_firings (alert_id, fired_at desc);
create index alert_firings_unseen on alert_firings (owner_id, alert_id) where seen_at is null;
call protect_rows('alert_firings', 'owner_id', 'select, insert, update, delete');

-- An outbox: a mail is written in the transaction of its firing and sent by a job.
create table alert_mails (
  firing_id uuid primary key references alert_firings (id) on delete cascade,
  owner_id uuid not null references users (id) on delete cascade,
  status text not null default 'waiting' check (status in ('waiting', 'sent', 'failed')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null,
  reason text,
  sent_at timestamptz
);
create index alert_mails_due on alert_mails (next_attempt_at) where status = 'waiting';
call protect_rows('alert_mails', 'owner_id', 'select');

-- Watchlists: creators, clips and topics that somebody keeps an eye on, in an order of their own.
create table watchlists (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  columns text[] not null,
  period text not null,
  version integer not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index watchlists_name on watchlists (owner_id, lower(name));
call protect_rows('watchlists', 'owner_id', 'select, insert, update, delete');

create table watchlist_items (
  watchlist_id uuid not null references watchlists (id) on delete cascade,
  owner_id uuid not null references users (id) on delete cascade,
  type text not null check (type in ('clips', 'creators', 'topics')),
  -- The id on the wire.
  subject_id text not null,
  note text not null default '',
  -- From the top.
  position integer not null,
  added_at timestamptz not null default now(),
  primary key (watchlist_id, type, subject_id)
);
create index watchlist_items_owner on watchlist_items (owner_id, watchlist_id, position);
call protect_rows('watchlist_items', 'owner_id', 'select, insert, update, delete');
