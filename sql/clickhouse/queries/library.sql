-- library: creators and videos by name and id.

-- part: creators
-- params: platforms, search String (lower case; matches anywhere in name, handle or id), hasAfter Bool, afterVideos
--         Int64, afterPlatform, afterId String, limit UInt32
-- row:    platform, creator_id, name, handle, videos UInt64
-- reads:  creators_v1 and creator_videos_v1
SELECT platform, creator_id, name, handle, video_count AS videos
FROM
(
    SELECT
        platform,
        creator_id,
        argMaxIf(said.name, (observed_at, source), said.name != '') AS name,
        argMaxIf(said.handle, (observed_at, source), said.handle != '') AS handle
    FROM
    (
        SELECT toString(platform) AS platform, creator_id, name, handle, observed_at, toString(source) AS source
        FROM {database:Identifier}.creators_v1
        WHERE expires_at > now()
        UNION ALL
        SELECT DISTINCT toString(platform), creator_id, if(startsWith(creator_id, 'name:'), substring(creator_id, 6), ''), '', toDateTime64(0, 3, 'UTC'), ''
        FROM {database:Identifier}.creator_videos_v1
        {{also}}
    ) AS said
    WHERE platform IN {platforms:Array(String)}
    GROUP BY platform, creator_id
) AS named
ANY LEFT JOIN
(
    SELECT toString(platform) AS platform, creator_id, uniqExact(video_key) AS video_count
    FROM {database:Identifier}.creator_videos_v1
    GROUP BY platform, creator_id
) AS counted ON named.platform = counted.platform AND named.creator_id = counted.creator_id
WHERE (positionCaseInsensitiveUTF8(name, {search:String}) > 0 OR positionCaseInsensitiveUTF8(handle, {search:String}) > 0 OR positionCaseInsensitiveUTF8(creator_id, {search:String}) > 0 OR {search:String} = '')
    {{among}}
    AND (NOT {hasAfter:Bool} OR (-toInt64(video_count), platform, creator_id) > (-{afterVideos:Int64}, {afterPlatform:String}, {afterId:String}))
ORDER BY video_count DESC, platform, creator_id
LIMIT {limit:UInt32}

-- part: also
-- params: amongPlatforms, amongIds Array(String), one entry a creator that is found even when no source has named it
UNION ALL
SELECT pair.1, pair.2, '', '', toDateTime64(0, 3, 'UTC'), ''
FROM (SELECT arrayJoin(arrayZip({amongPlatforms:Array(String)}, {amongIds:Array(String)})) AS pair)

-- part: among
-- params: isIn Bool: only these creators, or all others
AND ((platform, creator_id) IN (SELECT arrayJoin(arrayZip({amongPlatforms:Array(String)}, {amongIds:Array(String)})))) = {isIn:Bool}

-- part: by_handle
-- params: platforms, handles Array(String), one entry a name, handles in lower case
-- row:    platform, creator_id: creators whose last handle is one of these; case does not matter
SELECT platform, creator_id
FROM
(
    SELECT toString(platform) AS platform, creator_id, lowerUTF8(trimLeft(argMaxIf(said.handle, (observed_at, source), said.handle != ''), '@')) AS last_handle
    FROM {database:Identifier}.creators_v1 AS said
    WHERE expires_at > now() AND platform IN {platforms:Array(String)}
    GROUP BY platform, creator_id
)
WHERE (platform, last_handle) IN (SELECT arrayJoin(arrayZip({platforms:Array(String)}, {handles:Array(String)})))
ORDER BY platform, creator_id
LIMIT 10

-- part: vods
-- params: platforms, creatorId String, hasAfter Bool, afterMs Int64, afterId String, limit UInt32
-- row:    platform, video_id, title, kind, thumbnail_url, published_ms and ended_ms Nullable(Int64), duration_seconds Nullable(Float64)
-- reads:  the creator's videos, newest first; those without a date last
SELECT
    platform,
    video_id,
    argMaxIf(said.title, (observed_at, source), said.title != '') AS title,
    argMax(toString(said.kind), (observed_at, source)) AS kind,
    argMaxIf(said.thumbnail_url, (observed_at, source), said.thumbnail_url != '') AS thumbnail_url,
    toUnixTimestamp64Milli(argMax(said.published_at, (observed_at, source))) AS published_ms,
    toUnixTimestamp64Milli(argMax(said.ended_at, (observed_at, source))) AS ended_ms,
    argMax(said.duration_seconds, (observed_at, source)) AS duration_seconds
FROM {database:Identifier}.videos_v1 AS said
WHERE expires_at > now()
    AND (platform, video_id) IN (SELECT platform, video_id FROM {database:Identifier}.creator_videos_v1 WHERE platform IN {platforms:Array(String)} AND creator_id = {creatorId:String})
GROUP BY platform, video_id
HAVING NOT {hasAfter:Bool} OR (-ifNull(published_ms, 0), video_id) > (-{afterMs:Int64}, {afterId:String})
ORDER BY ifNull(published_ms, 0) DESC, video_id
LIMIT {limit:UInt32}
