-- What users bring to link their accounts on the platforms: their own developer credentials, the accounts that are linked
-- with them, and links under way. Secrets are in the vault; these tables hold their ids.
create table developer_credentials (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  platform text not null check (platform in ('youtube', 'tiktok', 'instagram')),
  -- What a platform calls an app: google, google_api_key, tiktok_desktop, tiktok_web, instagram_login, facebook_login.
  kind text not null,
  -- Public: browsers show it. Empty for a key alone.
  client_id text not null,
  -- Stays the same when the secret is replaced.
  vault_id uuid not null unique references vault_secrets (id),
  status text not null default 'pending_validation' check (status in ('pending_validation', 'valid', 'invalid', 'inconclusive')),
  -- The platform's own, in plain words.
  reason text,
  -- Counted up when the secret is replaced: what is said of an earlier one is not said of this one.
  version integer not null default 1,
  validation_attempts integer not null default 0,
  -- Null: nothing is to be asked.
  next_validation_at timestamptz default now(),
  last_validated_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (owner_id, kind)
);
create index developer_credentials_due on developer_credentials (next_validation_at) where next_validation_at is not null;
call protect_rows('developer_credentials', 'owner_id', 'select, insert, update, delete');

create table platform_accounts (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  platform_name text not null check (platform_name in ('youtube', 'tiktok', 'instagram')),
  -- The platform's id of the account: channel, open_id, professional account.
  platform_account_id text not null,
  display_name text not null default '',
  handle text not null default '',
  avatar_url text not null default '',
  credentials_kind text not null,
  -- Null when the credentials, or the tokens, were removed.
  developer_credentials_vault_id uuid references vault_secrets (id) on delete set null,
  access_token_vault_id uuid references vault_secrets (id) on delete set null,
  refresh_token_vault_id uuid references vault_secrets (id) on delete set null,
  -- What the user granted, which may be less than was asked.
  scopes text[] not null,
  status text not null default 'connected' check (status in ('connected', 'disconnected', 'needs_reauth')),
  reason text,
  -- Of the present access token.
  token_issued_at timestamptz not null default now(),
  token_expires_at timestamptz,
  refresh_expires_at timestamptz,
  -- Counted up with every new token.
  token_version integer not null default 1,
  -- Who refreshes the token now holds the lease; nobody else does until it ends.
  refresh_lease_id uuid,
  refresh_lease_until timestamptz,
  -- After a refresh that failed for a while: none before this.
  refresh_not_before timestamptz,
  last_validated_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, platform_name, platform_account_id)
);
create index platform_accounts_credentials on platform_accounts (developer_credentials_vault_id);
create index platform_accounts_access_token on platform_accounts (access_token_vault_id);
create index platform_accounts_refresh_token on platform_accounts (refresh_token_vault_id);
call protect_rows('platform_accounts', 'user_id', 'select, insert, update, delete');

-- A link under way: from the question to the platform until its answer, at most ten minutes; kept a day for who asks how it
-- went.
create table account_links (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null references users (id) on delete cascade,
  platform text not null,
  credentials_kind text not null,
  -- SHA-256 of the state that the platform brings back, and of the ticket that opens its page once.
  state_hash bytea not null unique,
  ticket_hash bytea not null unique,
  ticket_used_at timestamptz,
  -- The state and the PKCE verifier; null once they were used.
  secret_vault_id uuid references vault_secrets (id) on delete set null,
  redirect_uri text not null,
  -- Where the browser goes at the end; null for a page of ours.
  return_url text,
  -- The account that is to be linked again; null for any.
  expected_account_id uuid references platform_accounts (id) on delete cascade,
  status text not null default 'waiting' check (status in ('waiting', 'exchanging', 'connected', 'failed')),
  reason text,
  account_id uuid references platform_accounts (id) on delete set null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index account_links_user on account_links (user_id, created_at desc);
create index account_links_age on account_links (created_at);
create index account_links_secret on account_links (secret_vault_id);
create index account_links_expected on account_links (expected_account_id);
create index account_links_account on account_links (account_id);
call protect_rows('account_links', 'user_id', 'select, insert, update, delete');
