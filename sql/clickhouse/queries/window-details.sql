-- window_details: the readings of a few videos over a time, from which `analytics/measures/details.ts` makes what clip_details
-- says, for several windows at once. Made here, window by window, it cost twice as much.
-- params: page Array(Tuple(String, String)) (platform and id of each clip); fromMs (the earliest instant needed), endMs (the
--         last) Int64
-- row:    platform, video_id, video_key String; may_mix UInt8 (it may stand in lists across platforms), may_derive UInt8 ({{may_derive}}: measures may be made of it); viewed (the last reading
--         that gives views: creator_id, views, likes, comments, shares, saves, source, instant; instant 0 where there is none),
--         viewless (the same of those that give none); instants, counts Array(Float64) (of all readings that give views, in no order)
-- reads:  samples_v1, the named videos from the first instant to the last
SELECT
    platform,
    video_id,
    toString(cityHash64(platform, video_id)) AS video_key,
    cityHash64(platform, video_id) NOT IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1 WHERE (platform, video_key) IN (SELECT clip.1, cityHash64(clip.1, clip.2) FROM (SELECT arrayJoin({page:Array(Tuple(String, String))}) AS clip))) AS may_mix,
    {{may_derive}} AS may_derive,
    argMaxIf(tuple(creator_id, views, likes, comments, shares, saves, toString(source), at_ms), tuple(at_ms, ifNull(toInt64(views), -1), ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source, quality), isNotNull(views)) AS viewed,
    argMaxIf(tuple(creator_id, views, likes, comments, shares, saves, toString(source), at_ms), tuple(at_ms, ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source, quality), isNull(views)) AS viewless,
    groupArrayIf(toFloat64(at_ms), isNotNull(views)) AS instants,
    groupArrayIf(toFloat64(assumeNotNull(views)), isNotNull(views)) AS counts
FROM
(
    SELECT platform, video_id, creator_id, views, likes, comments, shares, saves, source, quality, toUnixTimestamp64Milli(observed_at) AS at_ms
    FROM {database:Identifier}.samples_v1
    WHERE (platform, video_id) IN {page:Array(Tuple(String, String))}
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
)
GROUP BY platform, video_id
