-- clip_details: what a row shows beside its gain, for the clips of one page: all counters and the source of the last
-- sample that gives views (else of the last at all), the reading before the last quarter, the first one after it, and
-- the last reading in each of 24 slices of the window.
-- params: platforms, ids Array(String) (one entry a clip); fromMs (the earliest instant needed), startMs, quarterMs,
--         quarterMinMs, endMs, endMinMs, sliceMs Int64
-- row:    platform, video_id, may_derive UInt8 ({{may_derive}}: measures may be made of it), creator_id, views, likes, comments, shares, saves (Nullable(UInt64)), source, sample_ms,
--         quarter_ms, quarter_views, after_ms, after_views Int64 (0 when there is none), slices Array(Int64),
--         slice_views Array(Int64), slice_ms Array(Int64)
-- reads:  samples_v1, the named videos in the window and its look-back
SELECT
    platform,
    video_id,
    {{may_derive}} AS may_derive,
    argMaxIf((given.creator_id, given.views, given.likes, given.comments, given.shares, given.saves, toString(given.source), observed_at), (isNotNull(given.views), observed_at, ifNull(toInt64(given.views), -1), ifNull(toInt64(given.likes), -1), ifNull(toInt64(given.comments), -1), given.source, quality), at_ms >= {endMinMs:Int64}) AS last,
    last.1 AS creator_id,
    last.2 AS views,
    last.3 AS likes,
    last.4 AS comments,
    last.5 AS shares,
    last.6 AS saves,
    last.7 AS source,
    toUnixTimestamp64Milli(last.8) AS sample_ms,
    maxIf((at_ms, toInt64(ifNull(given.views, 0))), isNotNull(given.views) AND at_ms <= {quarterMs:Int64} AND at_ms >= {quarterMinMs:Int64}) AS quarter,
    quarter.1 AS quarter_ms,
    quarter.2 AS quarter_views,
    argMinIf((at_ms, toInt64(ifNull(given.views, 0))), (at_ms, -toInt64(ifNull(given.views, 0))), isNotNull(given.views) AND at_ms > {quarterMs:Int64}) AS after,
    after.1 AS after_ms,
    after.2 AS after_views,
    maxMapIf([toInt64(greatest(0, intDiv(at_ms - {startMs:Int64} + {sliceMs:Int64} - 1, {sliceMs:Int64})))], [bitOr(bitShiftLeft(toUInt128(at_ms), 64), toUInt128(ifNull(given.views, 0)))], isNotNull(given.views)) AS by_slice,
    by_slice.1 AS slices,
    arrayMap(packed -> toInt64(bitAnd(packed, 18446744073709551615)), by_slice.2) AS slice_views,
    arrayMap(packed -> toInt64(bitShiftRight(packed, 64)), by_slice.2) AS slice_ms
FROM
(
    SELECT platform, video_id, creator_id, views, likes, comments, shares, saves, source, quality, observed_at, toUnixTimestamp64Milli(observed_at) AS at_ms
    FROM {database:Identifier}.samples_v1
    WHERE (platform, video_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)})))
        AND observed_at >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
        AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
) AS given
GROUP BY platform, video_id
