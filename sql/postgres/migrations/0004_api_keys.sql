-- Keys of machines, answers of writes that may be sent twice, and the creators whose VODs a user follows.
create table api_keys (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  name text not null,
  -- The visible beginning, by which a key is found.
  prefix text not null unique,
  -- SHA-256 of the whole key: it has 256 random bits, so a slow hash would add nothing.
  key_hash bytea not null,
  scopes text[] not null,
  -- A service key acts for the users that it names.
  is_service boolean not null default false,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index api_keys_owner on api_keys (owner_id, created_at desc);
call protect_rows('api_keys', 'owner_id', 'select, insert, update, delete');

create table idempotent_answers (
  owner_id uuid not null references users (id) on delete cascade,
  -- SHA-256 of the key that the caller sent: the answer is sealed with a key made of that one.
  key_hash bytea not null,
  -- Method, path and body of the first request: the same key with another request is a mistake.
  request_hash bytea not null,
  -- Null while the first request is under way.
  status integer,
  sealed bytea,
  created_at timestamptz not null default now(),
  primary key (owner_id, key_hash)
);
create index idempotent_answers_age on idempotent_answers (created_at);
call protect_rows('idempotent_answers', 'owner_id', 'select, insert, update, delete');

create table monitored_creators (
  owner_id uuid not null references users (id) on delete cascade,
  platform text not null,
  creator_id text not null,
  created_at timestamptz not null default now(),
  primary key (owner_id, platform, creator_id)
);
call protect_rows('monitored_creators', 'owner_id', 'select, insert, delete');
