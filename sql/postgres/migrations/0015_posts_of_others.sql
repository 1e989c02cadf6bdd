-- Posts of others have no owner and no account. Nearly all posts are such ones, and every reading of their numbers paid for
-- two entries of indexes in which nobody looks for them.
drop index if exists polled_posts_owner;
create index polled_posts_owner on polled_posts (owner_id, published_at desc) where owner_id is not null;
drop index if exists polled_posts_account;
create index polled_posts_account on polled_posts (account_id) where account_id is not null;
