-- window_details: what clip_details says, for several windows in one reading of the samples, and the readings that a gain
-- is made of: the last one at or before the start and the first one after it.
-- params: pagePlatforms, pageIds Array(String) (one entry a clip); fromMs (the earliest instant needed), endMs (the last)
--         Int64; startsMs, untilsMs, startMinsMs, quartersMs, quarterMinsMs, endMinsMs, slicesMs Array(Int64) (one entry a window)
-- row:    that of clip_details; video_key String; may_mix UInt8 (it may stand in lists across platforms); from_ms, until_ms (the window), start_ms, start_views, first_ms, first_views
--         Int64 (0 when there is none)
-- reads:  samples_v1, the named videos in the windows and their look-back
SELECT
    platform,
    video_id,
    toString(cityHash64(platform, video_id)) AS video_key,
    cityHash64(platform, video_id) NOT IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1) AS may_mix,
    win.1 AS from_ms,
    win.2 AS until_ms,
    argMaxIf((given.creator_id, given.views, given.likes, given.comments, given.shares, given.saves, toString(given.source), at_ms), (isNotNull(given.views), at_ms, ifNull(toInt64(given.views), -1), ifNull(toInt64(given.likes), -1), ifNull(toInt64(given.comments), -1), given.source, quality), at_ms >= win.6) AS last,
    last.1 AS creator_id,
    last.2 AS views,
    last.3 AS likes,
    last.4 AS comments,
    last.5 AS shares,
    last.6 AS saves,
    last.7 AS source,
    last.8 AS sample_ms,
    maxIf((at_ms, toInt64(ifNull(given.views, 0))), isNotNull(given.views) AND at_ms <= win.1 AND at_ms >= win.3) AS started,
    started.1 AS start_ms,
    started.2 AS start_views,
    argMinIf((at_ms, toInt64(ifNull(given.views, 0))), (at_ms, -toInt64(ifNull(given.views, 0))), isNotNull(given.views) AND at_ms > win.1) AS first,
    first.1 AS first_ms,
    first.2 AS first_views,
    maxIf((at_ms, toInt64(ifNull(given.views, 0))), isNotNull(given.views) AND at_ms <= win.4 AND at_ms >= win.5) AS quarter,
    quarter.1 AS quarter_ms,
    quarter.2 AS quarter_views,
    argMinIf((at_ms, toInt64(ifNull(given.views, 0))), (at_ms, -toInt64(ifNull(given.views, 0))), isNotNull(given.views) AND at_ms > win.4) AS after,
    after.1 AS after_ms,
    after.2 AS after_views,
    maxMapIf([toInt64(least(24, greatest(0, intDiv(at_ms - win.1 + win.7 - 1, win.7))))], [bitOr(bitShiftLeft(toUInt128(at_ms), 64), toUInt128(ifNull(given.views, 0)))], isNotNull(given.views)) AS by_slice,
    by_slice.1 AS slices,
    arrayMap(packed -> toInt64(bitAnd(packed, 18446744073709551615)), by_slice.2) AS slice_views,
    arrayMap(packed -> toInt64(bitShiftRight(packed, 64)), by_slice.2) AS slice_ms
FROM
(
    SELECT
        platform, video_id, creator_id, views, likes, comments, shares, saves, source, quality, toUnixTimestamp64Milli(observed_at) AS at_ms,
        arrayJoin(arrayZip({startsMs:Array(Int64)}, {untilsMs:Array(Int64)}, {startMinsMs:Array(Int64)}, {quartersMs:Array(Int64)}, {quarterMinsMs:Array(Int64)}, {endMinsMs:Array(Int64)}, {slicesMs:Array(Int64)})) AS win
    FROM {database:Identifier}.samples_v1
    WHERE (platform, video_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})))
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
) AS given
GROUP BY platform, video_id, win
