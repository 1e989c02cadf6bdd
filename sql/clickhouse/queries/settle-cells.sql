-- settle_cells: carries the last reading of each six-hour cell to the boundaries that it is the value of, as far as
-- this range knows: a later reading outside of it wins by the table's rule (the greatest reading of a key stays).
-- params: fromMs Int64 (exclusive), toMs Int64 (inclusive), throughMs Int64 (last boundary), shard UInt8, shards UInt8
-- row:    none, inserts into boundaries_v1
-- reads:  readings_v1 between the two instants, one shard of the videos
INSERT INTO {database:Identifier}.boundaries_v1 (at, is_old, platform, video_key, reading, expires_at)
SELECT
    toDateTime(tupleElement(mark, 1), 'UTC') AS boundary_at,
    tupleElement(mark, 2) AS old,
    platform,
    video_key,
    max(last),
    argMax(last_expires_at, last)
FROM
(
    SELECT
        platform,
        video_key,
        last,
        last_expires_at,
        toInt64(bitAnd(bitShiftRight(last, 64), 4398046511103)) AS at_ms,
        leadInFrame(toInt64(bitAnd(bitShiftRight(last, 64), 4398046511103)), 1, toInt64(4398046511103)) OVER (PARTITION BY platform, video_key, has_views ORDER BY cell ASC ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next_ms
    FROM
    (
        SELECT
            platform,
            video_key,
            reading >= bitShiftLeft(toUInt128(1), 106) AS has_views,
            intDiv(toUnixTimestamp64Milli(observed_at) + 21599999, 21600000) AS cell,
            max(reading) AS last,
            argMax(expires_at, reading) AS last_expires_at
        FROM {database:Identifier}.readings_v1
        WHERE hour_at >= toStartOfHour(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC'))
            AND hour_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
            AND observed_at > fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
            AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
            AND video_key % {shards:UInt8} = {shard:UInt8}
        GROUP BY platform, video_key, has_views, cell
    )
)
ARRAY JOIN arrayConcat(
    arrayMap(k -> (k * 21600, toUInt8(0)), range(intDiv(at_ms + 21599999, 21600000), intDiv(least(next_ms - 1, at_ms + 129600000, {throughMs:Int64}), 21600000) + 1)),
    arrayMap(k -> (k * 86400, toUInt8(1)), range(intDiv(at_ms + 43200000, 86400000) + 1, intDiv(least(next_ms - 1, at_ms + 2678400000, {throughMs:Int64}), 86400000) + 1))
) AS mark
GROUP BY boundary_at, old, platform, video_key
