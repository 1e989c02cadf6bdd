-- subject: all readings of one clip, creator or topic, for series and descriptions.
-- params: platforms Array(String), id String, fromMs, toMs Int64 (both ends included); sourcePrefixes Array(String): own
--         counters count of sources whose names begin so; {{mixable}} leaves out videos
--         that may not be mixed

-- part: clip
-- row: at_ms Int64, views, likes, comments, shares, saves Nullable(UInt64), source, endpoint, creator_id String;
--      one row an instant, in order of time, the latest 100,000
SELECT at_ms, best.1 AS views, best.2 AS likes, best.3 AS comments, best.4 AS shares, best.5 AS saves, best.6 AS source, best.7 AS endpoint, best.8 AS creator_id
FROM
(
    SELECT
        toUnixTimestamp64Milli(observed_at) AS at_ms,
        argMax((given.views, given.likes, given.comments, given.shares, given.saves, toString(given.source), toString(given.endpoint), given.creator_id), (ifNull(toInt64(given.views), -1), ifNull(toInt64(given.likes), -1), ifNull(toInt64(given.comments), -1), given.source, given.quality)) AS best
    FROM {database:Identifier}.samples_v1 AS given
    WHERE given.platform IN {platforms:Array(String)} AND given.video_id = {id:String}
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
    GROUP BY at_ms
    ORDER BY at_ms DESC
    LIMIT 100000
)
ORDER BY at_ms

-- part: mixable
AND cityHash64(platform, video_id) NOT IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1)

-- part: videos_of_creator
SELECT platform, video_id FROM {database:Identifier}.creator_videos_v1 WHERE platform IN {platforms:Array(String)} AND creator_id = {id:String}

-- part: videos_of_topic
SELECT platform, video_id FROM {database:Identifier}.video_topics_v1 WHERE topic = {id:String} AND platform IN {platforms:Array(String)} AND expires_at > now()

-- part: group
-- row: platform, video_id, creator_id String; at_ms, views Array(Int64): instants and views in order of time; likes,
--      comments, shares, saves Array(Nullable(UInt64)); at most 5,000 videos
SELECT
    platform,
    video_id,
    sorted[-1].2.6 AS creator_id,
    arraySort(groupArray((instant, best))) AS sorted,
    arrayMap(entry -> entry.1, sorted) AS at_ms,
    arrayMap(entry -> toInt64(assumeNotNull(entry.2.1)), sorted) AS views,
    arrayMap(entry -> entry.2.2, sorted) AS likes,
    arrayMap(entry -> entry.2.3, sorted) AS comments,
    arrayMap(entry -> entry.2.4, sorted) AS shares,
    arrayMap(entry -> entry.2.5, sorted) AS saves
FROM
(
    SELECT
        platform,
        video_id,
        toUnixTimestamp64Milli(observed_at) AS instant,
        argMax((given.views, given.likes, given.comments, given.shares, given.saves, given.creator_id), (given.views, ifNull(toInt64(given.likes), -1), ifNull(toInt64(given.comments), -1), given.source, given.quality)) AS best
    FROM {database:Identifier}.samples_v1 AS given
    WHERE (platform, video_id) IN ({{videos}})
        AND given.views IS NOT NULL {{mixable}}
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
    GROUP BY platform, video_id, observed_at
)
GROUP BY platform, video_id
ORDER BY platform, video_id
LIMIT 5000

-- part: published
-- row: platform, video_id, creator_id, published_ms Int64 of the group's videos that say when they were published
SELECT platform, video_id, argMaxIf(said.creator_id, (observed_at, source), said.creator_id != '') AS creator_id, toUnixTimestamp64Milli(assumeNotNull(argMax(said.published_at, (observed_at, source)))) AS published_ms
FROM {database:Identifier}.videos_v1 AS said
WHERE (platform, video_id) IN ({{videos}}) AND said.published_at IS NOT NULL AND said.expires_at > now() {{mixable}}
GROUP BY platform, video_id
LIMIT 20000

-- part: own_creator
-- row: platform, at_ms Int64, views, followers, videos Nullable(UInt64), source: the creator's own counters
SELECT platform, at_ms, best.1 AS views, best.2 AS followers, best.3 AS videos, best.4 AS source
FROM
(
    SELECT platform, toUnixTimestamp64Milli(observed_at) AS at_ms, argMax((given.views, given.followers, given.videos, toString(given.source)), (ifNull(toInt64(given.followers), -1), ifNull(toInt64(given.views), -1), ifNull(toInt64(given.videos), -1), given.source)) AS best
    FROM {database:Identifier}.creator_samples_v1 AS given
    WHERE platform IN {platforms:Array(String)} AND given.creator_id = {id:String}
        AND arrayExists(prefix -> startsWith(given.source, prefix), {sourcePrefixes:Array(String)})
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
    GROUP BY platform, at_ms
)
ORDER BY at_ms
LIMIT 100000

-- part: own_topic
-- row: platform, at_ms Int64, views, videos Nullable(UInt64), source: the topic's own counters
SELECT platform, at_ms, best.1 AS views, CAST(NULL, 'Nullable(UInt64)') AS followers, best.2 AS videos, best.3 AS source
FROM
(
    SELECT platform, toUnixTimestamp64Milli(observed_at) AS at_ms, argMax((given.views, given.videos, toString(given.source)), (ifNull(toInt64(given.views), -1), ifNull(toInt64(given.videos), -1), given.source)) AS best
    FROM {database:Identifier}.topic_samples_v1 AS given
    WHERE platform IN {platforms:Array(String)} AND given.topic = {id:String}
        AND arrayExists(prefix -> startsWith(given.source, prefix), {sourcePrefixes:Array(String)})
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
    GROUP BY platform, at_ms
)
ORDER BY at_ms
LIMIT 100000

-- part: withheld_video
-- row: is_withheld UInt8: no measure may be made of the clip
SELECT cityHash64({platform:String}, {id:String}) IN ({{withheld}} AND platform = {platform:String} AND video_key = cityHash64({platform:String}, {id:String})) AS is_withheld

-- part: derivable
AND cityHash64(platform, video_id) NOT IN ({{withheld}})

-- part: is_known
-- row: known UInt8
SELECT
    (SELECT count() FROM {database:Identifier}.creator_videos_v1 WHERE {kind:String} = 'creators' AND platform IN {platforms:Array(String)} AND creator_id = {id:String})
    + (SELECT count() FROM {database:Identifier}.creators_v1 WHERE {kind:String} = 'creators' AND platform IN {platforms:Array(String)} AND creator_id = {id:String} AND expires_at > now())
    + (SELECT count() FROM {database:Identifier}.creator_samples_v1 WHERE {kind:String} = 'creators' AND platform IN {platforms:Array(String)} AND creator_id = {id:String})
    + (SELECT count() FROM {database:Identifier}.video_topics_v1 WHERE {kind:String} = 'topics' AND platform IN {platforms:Array(String)} AND topic = {id:String} AND expires_at > now())
    + (SELECT count() FROM {database:Identifier}.topic_samples_v1 WHERE {kind:String} = 'topics' AND platform IN {platforms:Array(String)} AND topic = {id:String})
    + (SELECT count() FROM {database:Identifier}.samples_v1 WHERE {kind:String} = 'clips' AND platform IN {platforms:Array(String)} AND video_id = {id:String})
    + (SELECT count() FROM {database:Identifier}.videos_v1 WHERE {kind:String} = 'clips' AND platform IN {platforms:Array(String)} AND video_id = {id:String} AND expires_at > now()) AS known
