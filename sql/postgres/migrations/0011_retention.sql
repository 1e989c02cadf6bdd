-- How long what platforms said may be kept.

-- YouTube's terms for derived metrics: when the user said that they were accepted for these credentials. Null: not.
alter table developer_credentials add column amendment_accepted_at timestamptz;

-- When what a platform said of a post must be gone, unless it says it again. Null: it may stay.
alter table polled_posts add column expires_at timestamptz;
update polled_posts set expires_at = now() + interval '30 days' where platform = 'youtube';
create index polled_posts_expiry on polled_posts (expires_at) where expires_at is not null;
