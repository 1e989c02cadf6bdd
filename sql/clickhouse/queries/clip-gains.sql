-- clip_gains: what each video gained over a window. The definitions are those of docs/metrics.md; analytics/scores.ts
-- states them a second time, slowly, and a test holds the two equal.
-- state: 0 value, 1 new (published inside the window), 2 partial (first reading inside the window), 3 the first reading
-- inside the window is still to be looked up ({{reawakened}} does), 4 no views are given.
-- toInt64 of a reading is its lowest 64 bits: far cheaper than masking 128.
-- params: those of value_at for s (and e, q where used), startMs, endMs, quarterMs Int64; startMinMs, endMinMs,
--         quarterMinMs Int64 (the look-back of each instant)
-- row:    video_key, low (views, or likes where none are given), e_ms, start_ms, state, gain, velocity, quarter_velocity
-- reads:  latest_v1 or the boundary before the end; the boundary before the start and the readings up to it

-- part: ends_live
SELECT platform, video_key, creator_key, reading
FROM {database:Identifier}.latest_v1 FINAL
WHERE platform IN {platforms:Array(String)} {{keys}}

-- part: ends_past
SELECT known.platform AS platform, ended.video_key AS video_key, known.creator_key AS creator_key, ended.reading AS reading
FROM
(
    SELECT video_key, max(reading) AS reading
    FROM ({{e_fine}} UNION ALL {{e_late}})
    GROUP BY video_key
) AS ended
ANY INNER JOIN
(
    SELECT platform, video_key, creator_key
    FROM {database:Identifier}.latest_v1
    WHERE platform IN {platforms:Array(String)} {{keys}}
) AS known ON ended.video_key = known.video_key

-- part: reawakened
SELECT
    video_key,
    max(bitXor(reading, bitShiftLeft(toUInt128(4398046511103), 64))) AS turned
FROM {database:Identifier}.readings_v1
WHERE hour_at >= toStartOfHour(fromUnixTimestamp64Milli({$FromMs:Int64}, 'UTC'))
    AND hour_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    AND observed_at > fromUnixTimestamp64Milli({$FromMs:Int64}, 'UTC')
    AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    AND platform IN {platforms:Array(String)} {{keys}}
GROUP BY video_key

-- part: firsts
SELECT video_key, turned
FROM {database:Identifier}.firsts_v1 FINAL
WHERE platform IN {platforms:Array(String)} AND bitAnd(toInt64(bitShiftRight(turned, 64)), 4398046511103) < 4398046511103 - {$FromMs:Int64} {{keys}}

-- part: published
SELECT video_key, toInt64(announced) AS published_ms
FROM {database:Identifier}.published_v1 FINAL
WHERE platform IN {platforms:Array(String)}
    AND toInt64(announced) > {$FromMs:Int64}
    AND toInt64(announced) <= {endMs:Int64} {{keys}}

-- part: window
SELECT
    ends.platform AS platform,
    ends.video_key AS video_key,
    ends.creator_key AS creator_key,
    toInt64(ends.reading) AS low,
    bitAnd(toInt64(bitShiftRight(ends.reading, 64)), 4398046511103) AS e_ms,
    greatest(fine.reading, late.reading) AS start_reading,
    bitAnd(toInt64(bitShiftRight(start_reading, 64)), 4398046511103) AS s_ms,
    start_reading >= bitShiftLeft(toUInt128(1), 106) AND s_ms >= {sMinMs:Int64} AS has_start,
    multiIf(
        ends.reading < bitShiftLeft(toUInt128(1), 106), 4,
        has_start, 0,
        published.published_ms > 0, 1,
        firsts.turned > 0, 2,
        3) AS state,
    multiIf(
        state = 0, toInt64(start_reading),
        state = 2, toInt64(firsts.turned),
        0) AS start_views,
    multiIf(
        state = 0, s_ms,
        state = 1, published.published_ms,
        state = 2, 4398046511103 - bitAnd(toInt64(bitShiftRight(firsts.turned, 64)), 4398046511103),
        0) AS start_ms,
    if(state < 3, low - start_views, NULL) AS gain,
    if(state < 3 AND e_ms > start_ms, (low - start_views) * 3600000. / (e_ms - start_ms), NULL) AS velocity,
    published.published_ms > 0 AS is_new_here
FROM ({{ends}}) AS ends
ANY LEFT JOIN ({{s_fine}}) AS fine ON ends.video_key = fine.video_key
ANY LEFT JOIN ({{s_late}}) AS late ON ends.video_key = late.video_key
ANY LEFT JOIN ({{s_firsts}}) AS firsts ON ends.video_key = firsts.video_key
ANY LEFT JOIN ({{s_published}}) AS published ON ends.video_key = published.video_key
WHERE e_ms >= {eMinMs:Int64}

-- part: quarter
SELECT
    quarter_ends.video_key AS video_key,
    greatest(quarter_fine.reading, quarter_late.reading) AS start_reading,
    bitAnd(toInt64(bitShiftRight(start_reading, 64)), 4398046511103) AS q_ms,
    start_reading >= bitShiftLeft(toUInt128(1), 106) AND q_ms >= {qMinMs:Int64} AS has_start,
    multiIf(has_start, 0, quarter_published.published_ms > 0, 1, quarter_firsts.turned > 0, 2, 3) AS quarter_state,
    multiIf(
        quarter_state = 0, toInt64(start_reading),
        quarter_state = 2, toInt64(quarter_firsts.turned),
        0) AS quarter_views,
    multiIf(
        quarter_state = 0, q_ms,
        quarter_state = 1, quarter_published.published_ms,
        quarter_state = 2, 4398046511103 - bitAnd(toInt64(bitShiftRight(quarter_firsts.turned, 64)), 4398046511103),
        0) AS quarter_ms
FROM (SELECT video_key, reading FROM ({{ends}})) AS quarter_ends
ANY LEFT JOIN ({{q_fine}}) AS quarter_fine ON quarter_ends.video_key = quarter_fine.video_key
ANY LEFT JOIN ({{q_late}}) AS quarter_late ON quarter_ends.video_key = quarter_late.video_key
ANY LEFT JOIN ({{q_firsts}}) AS quarter_firsts ON quarter_ends.video_key = quarter_firsts.video_key
ANY LEFT JOIN ({{q_published}}) AS quarter_published ON quarter_ends.video_key = quarter_published.video_key
