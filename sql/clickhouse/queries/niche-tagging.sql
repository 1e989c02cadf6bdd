-- niche_tagging: what tagging with niches reads.

-- part: progress
-- row: tagged_ms Int64 (0: never), now_ms Int64 (the engine's clock)
SELECT toUnixTimestamp64Milli(max(tagged_through)) AS tagged_ms, toUnixTimestamp64Milli(now64(3, 'UTC')) AS now_ms
FROM {database:Identifier}.niche_progress_v1
WHERE rules_hash = {rulesHash:String}

-- part: changed
-- row: platform, video_id, title, category, tags, duration_seconds; one row per video that was described since sinceMs,
--      in the order of the table, after (afterPlatform, afterId)
SELECT
    platform,
    video_id,
    argMaxIf(said.title, (observed_at, source), said.title != '') AS title,
    argMaxIf(toString(said.category), (observed_at, source), said.category != '') AS category,
    argMaxIf(said.tags, (observed_at, source), notEmpty(said.tags)) AS tags,
    argMax(said.duration_seconds, (observed_at, source)) AS duration_seconds
FROM {database:Identifier}.videos_v1 AS said
WHERE expires_at > now()
    AND (platform, video_id) IN
(
    SELECT DISTINCT platform, video_id
    FROM {database:Identifier}.videos_v1
    WHERE expires_at > now() AND written_at >= fromUnixTimestamp64Milli({sinceMs:Int64}, 'UTC') AND (platform, video_id) > ({afterPlatform:String}, {afterId:String})
    ORDER BY platform, video_id
    LIMIT {limit:UInt32}
)
GROUP BY platform, video_id
ORDER BY platform, video_id

-- part: tagged
-- row: platform, video_id, niche: what stands in the table for some videos
SELECT platform, video_id, toString(niche) AS niche
FROM {database:Identifier}.video_niches_v1 FINAL
WHERE rules_hash = {rulesHash:String} AND is_match = 1
    AND video_key IN (SELECT cityHash64(pair.1, pair.2) FROM (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})) AS pair))

-- part: old_hashes
-- row: rules_hash: versions of the rules that no longer apply
SELECT DISTINCT toString(rules_hash) AS rules_hash
FROM {database:Identifier}.video_niches_v1
WHERE rules_hash != {rulesHash:String}
LIMIT 100

-- part: forget
ALTER TABLE {database:Identifier}.video_niches_v1 DROP PARTITION {rulesHash:String}
