-- Media of users: what they declared as theirs, uploads under way, the work on them, and the files that came of it.

-- A VOD with media. vod_id is own:<uuid>, or the id of an indexed video to which its owner attached a file or address.
create table vods (
  owner_id uuid not null references users (id) on delete cascade,
  vod_id text not null,
  title text not null,
  creator_id text,
  source_kind text not null check (source_kind in ('file', 'url', 's3', 'upload')),
  -- What may be shown of the source: the name of a file, or the host of an address and nothing more.
  source_label text not null,
  -- Where the media is: an address may hold a secret.
  source_vault_id uuid not null unique references vault_secrets (id),
  -- Of a source that was uploaded.
  upload_id uuid,
  -- Equal for equal content: what was computed of it is found by this.
  content_id text not null,
  duration_seconds double precision not null,
  bytes bigint,
  media jsonb not null,
  created_at timestamptz not null default now(),
  -- Of uploads: when the media goes.
  expires_at timestamptz,
  primary key (owner_id, vod_id)
);
create index vods_expiring on vods (expires_at) where expires_at is not null;
call protect_rows('vods', 'owner_id', 'select, insert, update, delete');

-- A file on its way to us, in parts: each request that brings bytes makes one.
create table uploads (
  id uuid primary key,
  owner_id uuid not null references users (id) on delete cascade,
  file_name text not null,
  declared_bytes bigint not null check (declared_bytes > 0),
  received_bytes bigint not null default 0 check (received_bytes <= declared_bytes),
  -- Keys of what has arrived, in its order.
  parts text[] not null default '{}',
  -- receiving: parts are in the store; ready: one file is.
  status text not null default 'receiving' check (status in ('receiving', 'ready', 'refused')),
  reason text,
  metadata text not null default '',
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index uploads_owner on uploads (owner_id, created_at desc);
create index uploads_expiring on uploads (expires_at);
call protect_rows('uploads', 'owner_id', 'select, insert, update, delete');

-- Work on media. A worker holds a lease; when it dies, the job is taken again when the lease ends.
create table media_jobs (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  type text not null check (type in ('clip', 'video/clips', 'video/frames', 'video/scenes', 'audio/silence',
    'audio/energy', 'timeline/analyze')),
  vod_id text not null,
  params jsonb not null,
  -- Of the media, the kind of work and its settings: the same asked for twice is done once.
  content_key text not null,
  idempotency_key text,
  status text not null default 'queued' check (status in ('queued', 'running', 'done', 'failed', 'cancelled',
    'expired')),
  progress real not null default 0,
  -- Small work first.
  estimate_cpu_seconds double precision not null,
  actual_cpu_seconds double precision,
  credits integer not null,
  -- The line of the ledger that holds the credits; null when nothing is held (any more).
  reservation_id bigint,
  attempts integer not null default 0,
  due_at timestamptz not null,
  lease_id uuid,
  lease_until timestamptz,
  result jsonb,
  error_code text,
  error_message text,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz,
  -- When its files go.
  expires_at timestamptz
);
create unique index media_jobs_same on media_jobs (owner_id, content_key) where status in ('queued', 'running', 'done');
create unique index media_jobs_idempotent on media_jobs (owner_id, idempotency_key) where idempotency_key is not null;
create index media_jobs_owner on media_jobs (owner_id, created_at desc);
create index media_jobs_due on media_jobs (due_at) where status in ('queued', 'running');
create index media_jobs_expiring on media_jobs (expires_at) where expires_at is not null;
call protect_rows('media_jobs', 'owner_id', 'select, insert, update, delete');

-- A file that came of a job.
create table media_outputs (
  id uuid primary key,
  job_id uuid not null references media_jobs (id) on delete cascade,
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  content_type text not null,
  bytes bigint not null,
  -- Lower-case hex.
  sha256 text not null,
  -- A link to it was given out, which counted as a download.
  is_downloaded boolean not null default false,
  created_at timestamptz not null
);
create index media_outputs_job on media_outputs (job_id);
create index media_outputs_owner on media_outputs (owner_id);
call protect_rows('media_outputs', 'owner_id', 'select, insert, update, delete');
