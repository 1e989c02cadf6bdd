-- Charts of countries and days of own accounts are read like everything else that is read again and again.
alter table polls drop constraint if exists polls_task_check;
alter table polls add constraint polls_task_check
  check (task in ('account', 'posts', 'metrics', 'broadcasts', 'daily', 'chart'));
-- Which chart: a country, or a country and a category (US, US/20); empty for all other tasks.
alter table polls add column if not exists chart text not null default '';
drop index if exists polls_public;
create unique index polls_public on polls (platform, creator_id, chart, task, credential_key) where path = 'public';

-- Instagram finds others by their name alone, never by the id that their posts bear.
alter table monitored_creators add column if not exists handle text not null default '';
alter table polls add column if not exists handle text not null default '';
update monitored_creators set handle = creator_id where platform = 'instagram' and creator_id !~ '^[0-9]+$';

-- What kind of post its platform says it is (FEED, REELS, STORY), which decides what may be asked of it, and what was refused.
alter table polled_posts add column if not exists product text not null default '';
alter table polled_posts add column if not exists refused_metrics text[] not null default '{}';
