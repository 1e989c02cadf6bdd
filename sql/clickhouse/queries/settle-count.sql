-- settle_count: how many readings a range holds, to choose the number of shards.
-- params: fromMs Int64 (exclusive), toMs Int64 (inclusive)
-- row:    readings UInt64
-- reads:  the time column of readings_v1 between the two instants
SELECT count() AS readings
FROM {database:Identifier}.readings_v1
WHERE hour_at >= toStartOfHour(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC'))
    AND hour_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
    AND observed_at > fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
    AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
