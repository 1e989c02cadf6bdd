-- start_cache: values at instants of one hour.
-- params: build Int64 (String, to drop it); boundary, begin, until DateTime (the boundary before the hour, and the hour's
--         ends); hasViews, beginNext, untilNext String (as readings of clip_gains: the least that gives views, and what
--         follows the hour's ends); expiresAt DateTime
-- reads:  one boundary, and the readings between it and the hour's end

-- part: count
SELECT count() AS rows
FROM {database:Identifier}.readings_v1
WHERE hour_at >= {begin:DateTime} AND hour_at <= {until:DateTime}

-- part: made
SELECT toInt64(count()) AS rows, max(notEmpty(more)) AS has_more, max(notEmpty(viewless)) AS has_viewless
FROM {database:Identifier}.starts_v1
WHERE build = {build:Int64}

-- part: rows
SELECT toInt64(count()) AS rows FROM {database:Identifier}.starts_v1 WHERE build IN {builds:Array(Int64)}

-- part: build
INSERT INTO {database:Identifier}.starts_v1 (build, platform, video_key, before, first, more, viewless, expires_at)
SELECT
    {build:Int64},
    platform,
    video_key,
    last,
    if(empty(within), bitShiftLeft(toUInt128(1), 107), within[1]),
    arraySlice(within, 2),
    without,
    {expiresAt:DateTime}
FROM
(
    SELECT
        platform,
        video_key,
        maxIf(reading, reading >= toUInt128({hasViews:String}) AND reading < toUInt128({beginNext:String})) AS last,
        arraySort(groupArrayIf(reading, reading >= toUInt128({beginNext:String}))) AS within,
        groupArrayIf(reading, reading < toUInt128({hasViews:String})) AS without
    FROM
    (
        SELECT platform, video_key, reading
        FROM {database:Identifier}.boundaries_v1
        WHERE at = {boundary:DateTime} AND is_old = 0
        UNION ALL
        SELECT platform, video_key, reading
        FROM {database:Identifier}.readings_v1
        WHERE hour_at >= {boundary:DateTime} AND hour_at <= {until:DateTime} AND reading < toUInt128({untilNext:String})
    )
    GROUP BY platform, video_key
)
SETTINGS max_threads = 1

-- part: drop
ALTER TABLE {database:Identifier}.starts_v1 DROP PARTITION ID {build:String}
