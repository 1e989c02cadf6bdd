-- start_cache: what windows that begin within one hour start from.
-- params: build Int64 (String, to drop it); boundary, begin, until DateTime (the boundary before the hour, and the hour's ends); hasViews, beginNext,
--         untilNext String (as readings of clip_gains: the least that gives views, and what follows the hour's ends);
--         expiresAt DateTime
-- reads:  one boundary, and the readings between it and the hour's end

-- part: count
SELECT count() AS rows
FROM {database:Identifier}.readings_v1
WHERE hour_at >= {begin:DateTime} AND hour_at <= {until:DateTime}

-- part: rows
SELECT toInt64(count()) AS rows FROM {database:Identifier}.starts_v1 WHERE build = {build:Int64}

-- part: build
INSERT INTO {database:Identifier}.starts_v1 (build, platform, video_key, before, first, more, expires_at)
SELECT {build:Int64}, platform, video_key, last, within[1], arraySlice(within, 2), {expiresAt:DateTime}
FROM
(
    SELECT
        platform,
        video_key,
        maxIf(reading, reading < toUInt128({beginNext:String})) AS last,
        arraySort(groupArrayIf(reading, reading >= toUInt128({beginNext:String}))) AS within
    FROM
    (
        SELECT platform, video_key, reading
        FROM {database:Identifier}.boundaries_v1
        WHERE at = {boundary:DateTime} AND is_old = 0 AND reading >= toUInt128({hasViews:String})
        UNION ALL
        SELECT platform, video_key, reading
        FROM {database:Identifier}.readings_v1
        WHERE hour_at >= {boundary:DateTime} AND hour_at <= {until:DateTime}
            AND reading >= toUInt128({hasViews:String}) AND reading < toUInt128({untilNext:String})
    )
    GROUP BY platform, video_key
)
SETTINGS max_threads = 1

-- part: drop
ALTER TABLE {database:Identifier}.starts_v1 DROP PARTITION ID {build:String}
