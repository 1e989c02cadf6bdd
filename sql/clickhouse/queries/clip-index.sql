-- clip_index: per niche and day, what the day's constituents moved on it and on the day before.
-- A video's velocity of a day is that of the 24 h window which ends at the day's last midnight, between the last
-- readings at most 36 h before either end.
-- Videos that a source has read whose terms forbid an index are never constituents, of one platform's index neither.
-- params: platforms, rulesHash, fromMs, firstMs, toMs Int64 (midnights), constituentsMax UInt16
-- row:    niche, day_ms Int64 (the midnight that ends the day), constituents UInt64, velocity, velocity_before Nullable(Float64)
-- reads:  boundaries_v1 at midnights, the readings of the niches' videos
SELECT niche, day_ms, count() AS constituents, sum(velocity) AS velocity, sum(velocity_before) AS velocity_before
FROM
(
    SELECT niche, video_key, day_ms, pace AS velocity, assumeNotNull(pace_before) AS velocity_before
    FROM
    (
        SELECT
            video_key,
            day_ms,
            if(before_day = day_ms - 86400000 AND at_ms > before_at, (views - before_views) * 3600000. / (at_ms - before_at), NULL) AS pace,
            lagInFrame(pace) OVER (PARTITION BY video_key ORDER BY day_ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS pace_before,
            before_day
        FROM
        (
            SELECT
                video_key,
                day_ms,
                toInt64(bitAnd(bitShiftRight(last, 64), 4398046511103)) AS at_ms,
                toInt64(bitAnd(last, 18446744073709551615)) AS views,
                lagInFrame(day_ms) OVER (PARTITION BY video_key ORDER BY day_ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before_day,
                lagInFrame(at_ms) OVER (PARTITION BY video_key ORDER BY day_ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before_at,
                lagInFrame(views) OVER (PARTITION BY video_key ORDER BY day_ms ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before_views
            FROM
            (
                SELECT video_key, midnight_ms AS day_ms, max(reading) AS last
                FROM
                (
                    SELECT video_key, reading, toUnixTimestamp64Milli(observed_at) AS seen_ms
                    FROM {database:Identifier}.readings_v1
                    WHERE hour_at >= toStartOfHour(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')) - INTERVAL 2 DAY
                        AND hour_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
                        AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
                        AND platform IN {platforms:Array(String)}
                        AND reading >= bitShiftLeft(toUInt128(1), 106)
                        AND video_key IN (SELECT video_key FROM {database:Identifier}.video_niches_v1 FINAL WHERE rules_hash = {rulesHash:String} AND is_match = 1 AND platform IN {platforms:Array(String)} {{only}})
                        AND video_key NOT IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1 WHERE platform IN {platforms:Array(String)})
                )
                ARRAY JOIN arrayMap(k -> k * 86400000, range(intDiv(seen_ms + 86399999, 86400000), intDiv(seen_ms + 129600000, 86400000) + 1)) AS midnight_ms
                WHERE midnight_ms <= {toMs:Int64}
                GROUP BY video_key, day_ms
            )
        )
    ) AS paced
    INNER JOIN
    (
        SELECT niche, video_key
        FROM {database:Identifier}.video_niches_v1 FINAL
        WHERE rules_hash = {rulesHash:String} AND is_match = 1 AND platform IN {platforms:Array(String)} {{only}}
    ) AS tagged ON paced.video_key = tagged.video_key
    WHERE isNotNull(pace) AND isNotNull(pace_before) AND day_ms > {firstMs:Int64}
    ORDER BY pace DESC, video_key
    LIMIT {constituentsMax:UInt16} BY niche, day_ms
)
GROUP BY niche, day_ms
ORDER BY niche, day_ms
