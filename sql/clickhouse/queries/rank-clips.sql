-- rank_clips: the clips of one page, in rank order. Rows whose first reading has still to be looked up come first
-- (state 3): the caller then asks again with {{reawakened}}.
-- params: those of clip_gains; hasAfter Bool, afterMissing UInt8, afterValue Float64, afterLow Int64, afterKey String
--         (the last row of the page before); limit UInt32
-- row:    key String (video_key), platform String, low Int64, e_ms Int64, state UInt8, gain Nullable(Int64),
--         velocity Nullable(Float64), sort_value Nullable(Float64), start_ms Int64
-- reads:  what clip_gains reads, once

-- part: page
SELECT
    toString(video_key) AS key,
    platform,
    low,
    e_ms,
    state,
    gain,
    velocity,
    start_ms,
    toFloat64({{sort}}) AS sort_value
FROM ({{window}}) AS gains {{joins}}
WHERE NOT {hasAfter:Bool}
    OR (toUInt8(isNull(sort_value)), -ifNull(sort_value, 0), -low, video_key) > ({afterMissing:UInt8}, -{afterValue:Float64}, -{afterLow:Int64}, toUInt64({afterKey:String}))
ORDER BY state = 3 DESC, sort_value DESC NULLS LAST, low DESC, video_key ASC
LIMIT {limit:UInt32}
{{settings}}

-- part: positions
SELECT toString(video_key) AS key, toInt64(position) AS position
FROM
(
    SELECT video_key, row_number() OVER (ORDER BY toFloat64({{sort}}) DESC NULLS LAST, low DESC, video_key ASC) AS position
    FROM ({{window}}) AS gains {{joins}}
)
WHERE video_key IN (SELECT toUInt64(arrayJoin({keys:Array(String)})))
{{settings}}

-- part: engagement
ANY LEFT JOIN
(
    SELECT
        cityHash64(platform, video_id) AS video_key,
        argMax((likes, comments, shares, saves, views), (observed_at, views, ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1))) AS last,
        ifNull(last.1, 0) + ifNull(last.2, 0) + ifNull(last.3, 0) + ifNull(last.4, 0) AS engaged,
        last.5 AS engaged_views,
        isNotNull(last.1) OR isNotNull(last.2) OR isNotNull(last.3) OR isNotNull(last.4) AS is_given
    FROM {database:Identifier}.samples_v1
    WHERE views IS NOT NULL AND platform IN {platforms:Array(String)}
        AND observed_at >= fromUnixTimestamp64Milli({eMinMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    GROUP BY platform, video_id
) AS engaging ON gains.video_key = engaging.video_key
