-- rank_groups: creators or topics, in rank order: what their videos gained together, or their own counters where the
-- platform publishes them ({{own}}; left out when the list is filtered by something that only videos have).
-- A video's creator is the one that its last reading names; of equal readings one with an id counts before one that is
-- known by title only, and then the greater id.
-- params: those of clip_gains; those of the page in rank_clips; sourcePrefixes Array(String) (of own counters, those of
--         sources whose names begin so)
-- row:    key String (creator_key, or the topic), platform String (empty when there are several), low, e_ms, state,
--         gain, velocity, sort_value, videos UInt64, clippers UInt64, is_own UInt8
-- reads:  what clip_gains reads, and the mappings to creators and topics

-- part: page
SELECT
    {{key_text}} AS key,
    platform,
    low,
    e_ms,
    state,
    gain,
    velocity,
    videos,
    clippers,
    is_own,
    recent_velocity,
    engaged,
    engaged_views,
    toFloat64({{sort}}) AS sort_value
FROM ({{groups}})
WHERE NOT {hasAfter:Bool}
    OR (toUInt8(isNull(sort_value)), -ifNull(sort_value, 0), -low, group_key) > ({afterMissing:UInt8}, -{afterValue:Float64}, -{afterLow:Int64}, {{after_key}})
ORDER BY state = 3 DESC, sort_value DESC NULLS LAST, low DESC, group_key ASC
LIMIT {limit:UInt32}
{{settings}}

-- part: positions
SELECT {{key_text}} AS key, toInt64(position) AS position
FROM
(
    SELECT group_key, row_number() OVER (ORDER BY toFloat64({{sort}}) DESC NULLS LAST, low DESC, group_key ASC) AS position
    FROM ({{groups}})
)
WHERE group_key IN ({{keys_list}})
{{settings}}

-- part: groups
SELECT
    group_key,
    best.1 AS platform,
    best.2 AS low,
    best.3 AS e_ms,
    best.4 AS state,
    best.5 AS gain,
    best.6 AS velocity,
    best.7 AS recent_velocity,
    best.8 AS engaged,
    best.9 AS engaged_views,
    videos,
    clippers,
    is_own
FROM
(
    SELECT
        group_key,
        argMax((platform, low, e_ms, state, gain, velocity, recent_velocity, engaged, engaged_views), own) AS best,
        max(own) AS is_own,
        sum(video_count) AS videos,
        sum(clipper_count) AS clippers
    FROM ({{from_videos}} {{own}})
    GROUP BY group_key
)

-- part: from_videos
SELECT
    {{group_key}} AS group_key,
    if(uniqExact(gains.platform) = 1, toString(any(gains.platform)), '') AS platform,
    sumIf(gains.low, gains.state < 4) AS low,
    max(gains.e_ms) AS e_ms,
    toUInt8(multiIf(countIf(gains.state = 3) > 0, 3, countIf(gains.state < 4) = 0, 4, countIf(gains.state = 0) > 0, 0, countIf(gains.state = 2) > 0, 2, 1)) AS state,
    sumOrNull(gains.gain) AS gain,
    sumOrNull(gains.velocity) AS velocity,
    {{recent}} AS recent_velocity,
    {{engaged}} AS engaged,
    {{engaged_views}} AS engaged_views,
    count() AS video_count,
    uniqExactIf(made.creator_key, gains.is_new_here) AS clipper_count,
    toUInt8(0) AS own
FROM ({{window}}) AS gains
ANY LEFT JOIN
(
    SELECT video_key, argMax(creator_key, (named_by, NOT startsWith(creator_id, 'name:'), creator_id)) AS creator_key
    FROM {database:Identifier}.creator_videos_v1
    WHERE platform IN {platforms:Array(String)} {{keys}}
    GROUP BY video_key
) AS made ON gains.video_key = made.video_key
{{joins}}
{{group_where}}
GROUP BY group_key

-- part: topic_join
INNER JOIN
(
    SELECT topic, video_key
    FROM {database:Identifier}.video_topics_v1 FINAL
    WHERE platform IN {platforms:Array(String)} AND expires_at > now() {{keys}}
) AS mapping ON gains.video_key = mapping.video_key

-- part: own
UNION ALL
SELECT
    group_key,
    if(uniqExact(counted.platform) = 1, toString(any(counted.platform)), '') AS platform,
    sum(counted.low) AS low,
    max(counted.e_ms) AS e_ms,
    toUInt8(if(countIf(counted.state = 0) > 0, 0, 2)) AS state,
    toNullable(sum(counted.gain)) AS gain,
    sumOrNull(counted.velocity) AS velocity,
    CAST(NULL, 'Nullable(Float64)') AS recent_velocity,
    toUInt64(0) AS engaged,
    toUInt64(0) AS engaged_views,
    toUInt64(0) AS video_count,
    toUInt64(0) AS clipper_count,
    toUInt8(1) AS own
FROM
(
    SELECT
        platform,
        {{own_key}} AS group_key,
        maxIf((toUnixTimestamp64Milli(observed_at), toInt64(assumeNotNull(views))), observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')) AS ended,
        maxIf((toUnixTimestamp64Milli(observed_at), toInt64(assumeNotNull(views))), observed_at <= fromUnixTimestamp64Milli({startMs:Int64}, 'UTC')) AS before,
        argMinIf((toUnixTimestamp64Milli(observed_at), toInt64(assumeNotNull(views))), (observed_at, -toInt64(assumeNotNull(views))), observed_at > fromUnixTimestamp64Milli({startMs:Int64}, 'UTC')) AS first,
        ended.2 AS low,
        ended.1 AS e_ms,
        toUInt8(if(before.1 >= {sMinMs:Int64}, 0, 2)) AS state,
        if(state = 0, before, first) AS started,
        low - started.2 AS gain,
        if(e_ms > started.1, gain * 3600000. / (e_ms - started.1), NULL) AS velocity
    FROM {database:Identifier}.{{own_table}}
    WHERE views IS NOT NULL AND platform IN {platforms:Array(String)} {{own_where}}
        AND arrayExists(prefix -> startsWith(source, prefix), {sourcePrefixes:Array(String)})
        AND observed_at >= fromUnixTimestamp64Milli({sMinMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    GROUP BY platform, {{own_id}}
    HAVING e_ms >= {eMinMs:Int64}
) AS counted
GROUP BY group_key
