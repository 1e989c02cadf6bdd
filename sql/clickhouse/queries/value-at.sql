-- value_at: the last reading of each video at or before an instant, in two parts. `$` is the name of the instant (e: the end
-- of a past window; starts are read by clip_gains); {{keys}} a filter of the videos. What is older than the look-back must not
-- stand before a younger reading that gives no views.
-- params: $FineMs Int64 (boundary at or before the instant, 0 when there is none to trust), $OldMs Int64 (the
--         midnight at or before that), $OlderMs Array(Int64) (midnights before it, for windows over a month), $FromMs
--         Int64 (readings after it), $ToMs Int64 (the instant), $MinMs Int64 (the oldest instant within the look-back),
--         platforms Array(String)
-- row:    video_key UInt64, reading UInt128
-- reads:  boundaries_v1 at single instants, readings_v1 from the boundary to the instant

-- part: fine
SELECT video_key, reading
FROM {database:Identifier}.boundaries_v1 FINAL
WHERE at = fromUnixTimestamp64Milli({$FineMs:Int64}, 'UTC') AND is_old = 0 AND platform IN {platforms:Array(String)}
    AND bitAnd(toInt64(bitShiftRight(reading, 64)), 4398046511103) >= {$MinMs:Int64} {{keys}}

-- part: late
SELECT video_key, max(reading) AS reading
FROM
(
    SELECT video_key, reading
    FROM {database:Identifier}.boundaries_v1
    WHERE at = fromUnixTimestamp64Milli({$OldMs:Int64}, 'UTC') AND is_old = 1
        AND platform IN {platforms:Array(String)}
        AND bitAnd(toInt64(bitShiftRight(reading, 64)), 4398046511103) >= {$MinMs:Int64}
        AND bitAnd(toInt64(bitShiftRight(reading, 64)), 4398046511103) < {$FineMs:Int64} - 129600000 {{keys}}
    {{$_older}}
    UNION ALL
    SELECT video_key, reading
    FROM {database:Identifier}.readings_v1
    WHERE hour_at >= toStartOfHour(fromUnixTimestamp64Milli({$FromMs:Int64}, 'UTC'))
        AND hour_at <= fromUnixTimestamp64Milli({$ToMs:Int64}, 'UTC')
        AND observed_at > fromUnixTimestamp64Milli({$FromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({$ToMs:Int64}, 'UTC')
        AND platform IN {platforms:Array(String)} {{keys}}
)
GROUP BY video_key

-- part: older
UNION ALL
SELECT video_key, reading
FROM {database:Identifier}.boundaries_v1
WHERE at IN (SELECT fromUnixTimestamp64Milli(arrayJoin({$OlderMs:Array(Int64)}), 'UTC'))
    AND bitAnd(toInt64(bitShiftRight(reading, 64)), 4398046511103) >= {$MinMs:Int64}
    AND platform IN {platforms:Array(String)} {{keys}}
