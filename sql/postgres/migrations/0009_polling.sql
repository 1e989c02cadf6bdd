-- What is read from platforms, when next, and how much of each quota is used.

-- How much of a platform's limit a credential has used. Counted before a call, in one statement: two workers never spend
-- the same unit.
create table platform_quota (
  -- The vault id of a user's developer credentials, or operator:<platform>.
  credential_key text not null,
  -- e.g. youtube:units, instagram:account/17841400000000000; * for all of the credential's.
  bucket text not null,
  -- Null for the operator's own.
  owner_id uuid references users (id) on delete cascade,
  -- Of a daily bucket: when the platform's day began.
  window_start timestamptz not null,
  used integer not null default 0,
  -- The part of it that public creators took.
  used_public integer not null default 0,
  -- Of a bucket that refills: when it will be full again.
  full_at timestamptz,
  -- The platform said to wait, and why.
  blocked_until timestamptz,
  block_reason text,
  -- What the platform last said of its own count, in per cent.
  usage_percent real,
  updated_at timestamptz not null default now(),
  primary key (credential_key, bucket)
);
create index platform_quota_owner on platform_quota (owner_id);
call protect_rows('platform_quota', 'owner_id', 'select');

-- What is read again and again. A worker that takes a row holds its lease; when it dies, the row is due again at the
-- lease's end and continues at its cursor.
create table polls (
  id uuid primary key default gen_random_uuid(),
  task text not null check (task in ('account', 'posts', 'metrics', 'broadcasts')),
  -- own: of the account alone, to its owner alone. public: anybody's creator, to all.
  path text not null check (path in ('own', 'public')),
  -- Null on the public path.
  owner_id uuid references users (id) on delete cascade,
  -- Whose token asks; null for the operator's key.
  account_id uuid references platform_accounts (id) on delete cascade,
  platform text not null check (platform in ('youtube', 'tiktok', 'instagram')),
  -- Empty for the numbers of posts of many creators.
  creator_id text not null,
  credential_key text not null,
  next_poll_at timestamptz not null,
  -- What its pace asks for, and how much longer the quota makes it.
  interval_ms bigint not null default 86400000,
  stretch double precision not null default 1,
  lease_id uuid,
  lease_until timestamptz,
  -- Where a run that was cut off continues.
  cursor text,
  pages integer not null default 0,
  -- All old posts were read once.
  is_backfilled boolean not null default false,
  newest_post_at timestamptz,
  failures integer not null default 0,
  error_class text,
  error_message text,
  last_polled_at timestamptz,
  created_at timestamptz not null default now(),
  check ((path = 'own') = (owner_id is not null))
);
create unique index polls_own on polls (account_id, task) where path = 'own';
create unique index polls_public on polls (platform, creator_id, task, credential_key) where path = 'public';
create index polls_due on polls (next_poll_at);
create index polls_owner on polls (owner_id);
create index polls_account on polls (account_id);
call protect_rows('polls', 'owner_id', 'select');

-- Posts that are known, with when their numbers are read next. Of own posts it is also where their titles are: they are
-- nobody else's to see. What is public of others is in the analytics store.
create table polled_posts (
  -- The account, or all zeros on the public path.
  scope uuid not null,
  platform text not null,
  video_id text not null,
  creator_id text not null,
  owner_id uuid references users (id) on delete cascade,
  account_id uuid references platform_accounts (id) on delete cascade,
  -- Who reads its numbers.
  credential_key text not null,
  kind text not null default 'clip' check (kind in ('clip', 'vod', 'stream')),
  title text not null default '',
  url text not null default '',
  thumbnail_url text not null default '',
  published_at timestamptz,
  ended_at timestamptz,
  duration_seconds double precision,
  -- Null: it is gone, or its list brings its numbers.
  next_poll_at timestamptz,
  last_read_at timestamptz,
  last_views bigint,
  -- How often in a row it did not come.
  misses integer not null default 0,
  gone_at timestamptz,
  created_at timestamptz not null default now(),
  primary key (scope, platform, video_id)
);
create index polled_posts_due on polled_posts (scope, credential_key, next_poll_at) where next_poll_at is not null;
create index polled_posts_owner on polled_posts (owner_id, published_at desc);
create index polled_posts_account on polled_posts (account_id);
call protect_rows('polled_posts', 'owner_id', 'select');
