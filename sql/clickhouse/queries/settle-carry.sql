-- settle_carry: carries what stood at the last boundary forward to the boundaries that have passed since.
-- params: watermarkMs Int64 (the last boundary that exists), midnightMs Int64 (the midnight at or before it),
--         throughMs Int64 (the last boundary that has passed)
-- row:    none, inserts into boundaries_v1
-- reads:  boundaries_v1 at two instants
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
        reading AS last,
        expires_at AS last_expires_at,
        toInt64(bitAnd(bitShiftRight(reading, 64), 4398046511103)) AS at_ms
    FROM {database:Identifier}.boundaries_v1
    WHERE (at = fromUnixTimestamp64Milli({watermarkMs:Int64}, 'UTC') AND is_old = 0)
        OR (at = fromUnixTimestamp64Milli({midnightMs:Int64}, 'UTC') AND is_old = 1)
)
ARRAY JOIN arrayConcat(
    arrayMap(k -> (k * 21600, toUInt8(0)), range(intDiv({watermarkMs:Int64}, 21600000) + 1, intDiv(least(at_ms + 129600000, {throughMs:Int64}), 21600000) + 1)),
    arrayMap(k -> (k * 86400, toUInt8(1)), range(greatest(intDiv(at_ms + 43200000, 86400000), intDiv({watermarkMs:Int64}, 86400000)) + 1, intDiv(least(at_ms + 2678400000, {throughMs:Int64}), 86400000) + 1))
) AS mark
GROUP BY boundary_at, old, platform, video_key
