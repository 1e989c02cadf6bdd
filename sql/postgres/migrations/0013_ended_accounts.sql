-- Until when what was read of an account itself may be kept, in both stores. Null: its grant holds. A user who unlinks it, or
-- revokes the grant at the platform, ends that at once; a grant that merely ran out may be renewed for a while.
alter table platform_accounts add column numbers_until timestamptz;
update platform_accounts set numbers_until = now() where status = 'disconnected';
update platform_accounts set numbers_until = now() + interval '30 days' where status = 'needs_reauth';
create index platform_accounts_ended on platform_accounts (numbers_until) where numbers_until is not null;
