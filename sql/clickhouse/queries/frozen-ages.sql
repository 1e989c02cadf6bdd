-- frozen_ages: views at fixed ages, stored while the samples last. analytics/scores.ts states the definition a second time.
-- A publication that is known has a row with age_hours = 0 once all samples there were have been looked at ({{fresh}}); from
-- then on the readings of newly written cells are enough ({{range}}).
-- params: ages Array(UInt16) (hours)

-- part: range
-- params: fromMs Int64 (exclusive), toMs Int64 (inclusive)
-- row:    none, inserts into frozen_ages_v1
-- reads:  readings_v1 between the two instants, the publications that one of their ages could belong to
INSERT INTO {database:Identifier}.frozen_ages_v1 (age_hours, platform, video_key, published_ms, reading, expires_at)
SELECT age, platform, video_key, published_ms, max(known_reading), {{expires}}
FROM
(
    SELECT given.platform AS platform, given.video_key AS video_key, said.published_ms AS published_ms, given.at_ms AS at_ms, given.reading AS known_reading, given.expires_at AS known_expires_at
    FROM
    (
        SELECT platform, video_key, reading, expires_at, toUnixTimestamp64Milli(observed_at) AS at_ms
        FROM {database:Identifier}.readings_v1
        WHERE hour_at >= toStartOfHour(fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC'))
            AND hour_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
            AND observed_at > fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
            AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
            AND reading >= bitShiftLeft(toUInt128(1), 106)
    ) AS given
    INNER JOIN
    (
        SELECT DISTINCT video_key, published_ms
        FROM {database:Identifier}.frozen_ages_v1
        WHERE age_hours = 0
            AND published_ms >= {fromMs:Int64} - arrayMax({ages:Array(UInt16)}) * 3600000
            AND published_ms <= {toMs:Int64} + 129600000
    ) AS said ON given.video_key = said.video_key
)
ARRAY JOIN {{ages}} AS age
GROUP BY age, platform, video_key, published_ms

-- part: ages
-- the ages that a reading is near enough to: at most 36 h before
arrayFilter(age -> at_ms <= published_ms + age * 3600000 AND at_ms >= published_ms + age * 3600000 - 129600000, {ages:Array(UInt16)})

-- part: expires
if(video_key IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1), argMax(known_expires_at, known_reading), toDateTime('2106-02-07 00:00:00', 'UTC'))

-- part: publications
-- of videos that have samples; nothing was looked at for them yet
SELECT platform, video_key, toInt64(announced) AS published_ms
FROM {database:Identifier}.published_v1 FINAL
WHERE (video_key, toInt64(announced)) NOT IN (SELECT video_key, published_ms FROM {database:Identifier}.frozen_ages_v1 WHERE age_hours = 0)
    AND video_key IN (SELECT video_key FROM {database:Identifier}.latest_v1)

-- part: fresh_count
-- row: publications UInt64
SELECT count() AS publications FROM ({{publications}})

-- part: fresh
-- params: shard, shards UInt8
-- row:    none, inserts into frozen_ages_v1
-- reads:  all samples of those videos, one shard of them. A video that becomes known meanwhile is either here with its samples
--         or not at all.
INSERT INTO {database:Identifier}.frozen_ages_v1 (age_hours, platform, video_key, published_ms, reading, expires_at)
SELECT age, platform, video_key, published_ms, max(if(age = 0, toUInt128(0), known_reading)), {{expires}}
FROM
(
    SELECT given.platform AS platform, given.video_key AS video_key, said.published_ms AS published_ms, given.at_ms AS at_ms, given.known_reading AS known_reading, given.known_expires_at AS known_expires_at, given.has_views AS has_views
    FROM
    (
        SELECT
            platform,
            cityHash64(platform, video_id) AS video_key,
            toUnixTimestamp64Milli(observed_at) AS at_ms,
            isNotNull(views) AS has_views,
            bitOr(bitOr(bitShiftLeft(toUInt128(1), 106), bitShiftLeft(toUInt128(at_ms), 64)), toUInt128(ifNull(views, 0))) AS known_reading,
            expires_at AS known_expires_at
        FROM {database:Identifier}.samples_v1
        WHERE (platform, video_id) IN (SELECT platform, video_id FROM {database:Identifier}.latest_v1 WHERE video_key IN (SELECT video_key FROM ({{publications}}) WHERE video_key % {shards:UInt8} = {shard:UInt8}))
    ) AS given
    INNER JOIN (SELECT video_key, published_ms FROM ({{publications}}) WHERE video_key % {shards:UInt8} = {shard:UInt8}) AS said ON given.video_key = said.video_key
)
ARRAY JOIN arrayConcat([toUInt16(0)], if(has_views, {{ages}}, CAST([], 'Array(UInt16)'))) AS age
GROUP BY age, platform, video_key, published_ms

-- part: stored
-- params: platform, id String; publishedMs Int64
-- row:    age_hours, at_ms, views Int64
SELECT age_hours, bitAnd(toInt64(bitShiftRight(max(frozen.reading) AS last, 64)), 4398046511103) AS at_ms, toInt64(last) AS views
FROM {database:Identifier}.frozen_ages_v1 AS frozen
WHERE age_hours IN {ages:Array(UInt16)} AND platform = {platform:String}
    AND video_key = cityHash64({platform:String}, {id:String}) AND published_ms = {publishedMs:Int64}
GROUP BY age_hours
