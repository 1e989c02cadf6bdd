-- descriptions: what is known beside the counters, field by field the newest that is not empty. Here and everywhere else,
-- what must be gone by now counts no more, whether the engine has removed it or not.
-- params: pagePlatforms, pageIds Array(String), one entry each

-- part: videos
-- row: platform, video_id, creator_id, kind, title, url, thumbnail_url, published_ms, ended_ms Nullable(Int64),
--      duration_seconds Nullable(Float64), category, tags, regions, source, said_ms Int64
SELECT
    platform,
    video_id,
    argMaxIf(said.creator_id, (observed_at, source), said.creator_id != '') AS creator_id,
    argMax(toString(said.kind), (observed_at, source)) AS kind,
    argMaxIf(said.title, (observed_at, source), said.title != '') AS title,
    argMaxIf(said.url, (observed_at, source), said.url != '') AS url,
    argMaxIf(said.thumbnail_url, (observed_at, source), said.thumbnail_url != '') AS thumbnail_url,
    toUnixTimestamp64Milli(argMax(published_at, (observed_at, source))) AS published_ms,
    toUnixTimestamp64Milli(argMax(ended_at, (observed_at, source))) AS ended_ms,
    argMax(said.duration_seconds, (observed_at, source)) AS duration_seconds,
    argMaxIf(toString(said.category), (observed_at, source), said.category != '') AS category,
    argMaxIf(said.tags, (observed_at, source), notEmpty(said.tags)) AS tags,
    arraySort(groupUniqArrayArray(CAST(said.regions, 'Array(String)'))) AS regions,
    argMax(toString(source), (observed_at, source)) AS source_name,
    toUnixTimestamp64Milli(max(observed_at)) AS said_ms
FROM {database:Identifier}.videos_v1 AS said
WHERE expires_at > now()
    AND (platform, video_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})))
GROUP BY platform, video_id

-- part: creators
-- row: platform, creator_id, name, handle, source_name, said_ms
SELECT
    platform,
    creator_id,
    argMaxIf(said.name, (observed_at, source), said.name != '') AS name,
    argMaxIf(said.handle, (observed_at, source), said.handle != '') AS handle,
    argMax(toString(source), (observed_at, source)) AS source_name,
    toUnixTimestamp64Milli(max(observed_at)) AS said_ms
FROM {database:Identifier}.creators_v1 AS said
WHERE expires_at > now()
    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})))
GROUP BY platform, creator_id

-- part: followers
-- row: platform, creator_id, followers, source_name, at_ms: the last reading at or before endMs that gives followers
SELECT
    platform,
    creator_id,
    argMax((assumeNotNull(said.followers), toString(source), toUnixTimestamp64Milli(observed_at)), (observed_at, assumeNotNull(said.followers))) AS last,
    last.1 AS followers,
    last.2 AS source_name,
    last.3 AS at_ms
FROM {database:Identifier}.creator_samples_v1 AS said
WHERE (platform, creator_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})))
    AND said.followers IS NOT NULL
    AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
    AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
GROUP BY platform, creator_id

-- part: niches
-- row: platform, video_id, niche, rule
SELECT platform, video_id, toString(niche) AS niche, rule
FROM {database:Identifier}.video_niches_v1 FINAL
WHERE rules_hash = {rulesHash:String} AND is_match = 1
    AND video_key IN (SELECT cityHash64(pair.1, pair.2) FROM (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})) AS pair))
ORDER BY platform, video_id, niche

-- part: withheld_creators
-- row: platform, creator_id of those of whom no measure may be made
SELECT pair.1 AS platform, pair.2 AS creator_id
FROM (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})) AS pair)
WHERE cityHash64(pair.1, pair.2) IN (SELECT creator_key FROM {database:Identifier}.creator_terms_v1 FINAL WHERE may_derive = 0 AND expires_at > now())
    OR pair IN
    (
        SELECT (toString(platform), creator_id)
        FROM {database:Identifier}.creator_videos_v1
        WHERE (platform, creator_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})))
            AND video_key IN ({{withheld}})
    )
