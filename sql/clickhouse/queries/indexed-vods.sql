-- indexed-vods: videos of creators in the order in which they were indexed.

-- part: horizon
-- row:    now_ms Int64, running_ms Int64 (how long the oldest insert that runs has been running; 0 without one)
-- reads:  the engine's own list of what runs
SELECT
    toUnixTimestamp64Milli(now64(3)) AS now_ms,
    toInt64(ceil(ifNull(maxOrNull(elapsed), 0) * 1000)) AS running_ms
FROM system.processes
WHERE query_kind = 'Insert'

-- part: page
-- params: platforms, creators Array(String): platform and native id of each creator; sinceMs, beforeMs Int64; afterMs Int64,
--         afterPlatform, afterCreator, afterId String; limit UInt32
-- row:    platform, creator_id, video_id, indexed_ms Int64
-- reads:  all of these creators' videos in vods_v1
SELECT toString(platform) AS platform, creator_id, video_id, toUnixTimestamp64Milli(min(indexed_at)) AS indexed_ms
FROM {database:Identifier}.vods_v1
WHERE (platform, creator_id) IN (SELECT arrayJoin(arrayZip({platforms:Array(String)}, {creators:Array(String)})))
GROUP BY platform, creator_id, video_id
HAVING indexed_ms >= {sinceMs:Int64}
    AND indexed_ms < {beforeMs:Int64}
    AND (indexed_ms, platform, creator_id, video_id) > ({afterMs:Int64}, {afterPlatform:String}, {afterCreator:String}, {afterId:String})
ORDER BY indexed_ms, platform, creator_id, video_id
LIMIT {limit:UInt32}
