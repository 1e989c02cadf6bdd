-- A post gets a new time each time it is read. Without an index on that time the new version of a row stays in its page,
-- where there is room for it, and no index is written; the embedded store, which nothing vacuums, then does not grow either.
-- Who reads posts looks through those of one reader.
drop index polled_posts_due;
create index polled_posts_reader on polled_posts (scope, credential_key);
alter table polled_posts set (fillfactor = 50);
