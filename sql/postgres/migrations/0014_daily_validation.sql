-- Developer credentials that were found good, or of which nothing is known, are tried again every day. Those that were found
-- so before had no next time.
update developer_credentials set next_validation_at = now()
where next_validation_at is null and status in ('valid', 'inconclusive');
