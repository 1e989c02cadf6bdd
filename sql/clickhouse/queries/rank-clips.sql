-- rank_clips: the clips of one page, in rank order. A video of which nothing that was read says what it started from
-- (is_unknown) stands where it would if it had started from nothing, so no other row of the page ranks too high: when there is
-- one on the page, the caller asks again with more.
-- params: those of clip_gains; afterMissing UInt8, afterValue Float64, afterLow Int64, afterKey String
--         (the last row of the page before, in {{after}}); limit UInt32
-- row:    key String (video_key), platform String, reading_text, start_text String (of 128 bits, as clip_gains says),
--         sort_value Nullable(Float64), built_count Int64 (rows of the builds, where it
--         matters whether all are there)
-- reads:  what clip_gains reads, once

-- part: page
WITH {{names}} {{measures}}
SELECT toString(ends.video_key) AS key, ends.platform AS platform, toString(ends.reading) AS reading_text, toString(start) AS start_text, {{sort}} AS sort_value {{built}}
{{joined}}
{{joins}}
WHERE e_ms >= {eMinMs:Int64} {{filters}} {{after}}
ORDER BY sort_value DESC NULLS LAST, low DESC, ends.video_key ASC
LIMIT {limit:UInt32}
{{settings}}

-- part: built
, (SELECT toInt64(count()) FROM {database:Identifier}.starts_v1 WHERE build IN {builds:Array(Int64)}) AS built_count

-- part: after
AND (is_unknown OR (toUInt8(isNull(sort_value)), -ifNull(sort_value, 0), -low, ends.video_key) > ({afterMissing:UInt8}, -{afterValue:Float64}, -{afterLow:Int64}, toUInt64({afterKey:String})))

-- part: positions
SELECT toString(video_key) AS key, toInt64(position) AS position, toInt64(unknown_above) AS unknown_above {{built}}
FROM
(
    WITH {{names}} {{measures}}
    SELECT
        ends.video_key AS video_key,
        {{sort}} AS sort_value,
        row_number() OVER ranking AS position,
        countIf(is_unknown) OVER ranking AS unknown_above
    {{joined}}
    {{joins}}
    WHERE e_ms >= {eMinMs:Int64} {{filters}}
    WINDOW ranking AS (ORDER BY sort_value DESC NULLS LAST, low DESC, ends.video_key ASC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE video_key IN (SELECT toUInt64(arrayJoin({keys:Array(String)})))
{{settings}}

-- part: engagement
ANY LEFT JOIN
(
    SELECT
        cityHash64(platform, video_id) AS video_key,
        argMax((likes, comments, shares, saves, views), (observed_at, views, ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source, quality)) AS last,
        ifNull(last.1, 0) + ifNull(last.2, 0) + ifNull(last.3, 0) + ifNull(last.4, 0) AS engaged,
        last.5 AS engaged_views,
        isNotNull(last.1) OR isNotNull(last.2) OR isNotNull(last.3) OR isNotNull(last.4) AS is_given
    FROM {database:Identifier}.samples_v1
    WHERE views IS NOT NULL AND platform IN {platforms:Array(String)}
        AND observed_at >= fromUnixTimestamp64Milli({eMinMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    GROUP BY platform, video_id
) AS engaging ON {{of}}.video_key = engaging.video_key
