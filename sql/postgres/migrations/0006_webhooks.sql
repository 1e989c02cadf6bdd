-- Webhooks: where users want to be told, and each telling. A row of webhook_deliveries is written in the transaction of
-- what happened (an outbox) and sent by a job.
create table webhooks (
  id uuid primary key default gen_random_uuid(),
  owner_id uuid not null references users (id) on delete cascade,
  url text not null,
  events text[] not null,
  secret_vault_id uuid not null references vault_secrets (id),
  status text not null default 'active' check (status in ('active', 'paused', 'disabled')),
  -- Why it was disabled.
  status_reason text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index webhooks_owner on webhooks (owner_id, created_at desc);
call protect_rows('webhooks', 'owner_id', 'select, insert, update, delete');

create table webhook_deliveries (
  id uuid primary key default gen_random_uuid(),
  webhook_id uuid not null references webhooks (id) on delete cascade,
  owner_id uuid not null references users (id) on delete cascade,
  event text not null,
  -- One happening is told once to each webhook.
  dedupe_key text not null,
  payload jsonb not null,
  status text not null default 'waiting' check (status in ('waiting', 'delivered', 'failed')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  last_status integer,
  last_error text,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  unique (webhook_id, dedupe_key)
);
create index webhook_deliveries_due on webhook_deliveries (next_attempt_at) where status = 'waiting';
create index webhook_deliveries_log on webhook_deliveries (owner_id, webhook_id, created_at desc);
call protect_rows('webhook_deliveries', 'owner_id', 'select, insert, update');
