-- clip_gains: what each video gained over a window. The definitions are those of docs/metrics.md; analytics/scores.ts
-- states them a second time, slowly, and a test holds the two equal.
-- state: 0 value, 1 new (published inside the window), 2 partial (first reading inside the window), 3 nothing that was read
-- here says what it started from: the caller then asks again with more (rare, {{s_firsts}}, reawakened), 4 no
-- views are given.
-- A start is one number, so that a plain max() finds the one that counts: bit 107 says a value at the instant (a
-- reading, not older than the look-back), else bit 106 a publication inside the window, else it is a first reading
-- inside the window with its instant's bits turned over; 0: none. One join then serves all of them.
-- Half of what a list costs is the engine's analysis of this text, so it has few names and levels, its constants are
-- computed by the caller, and what most lists do not need is not in it.
-- toInt64 of a reading or start is its lowest 64 bits: far cheaper than masking 128. 81129638414606681695789005144064
-- is bit 106, 162259276829213363391578010288128 is bit 107.
-- Who is first read after an instant has no reading before it, so start_fine holds a video once, with firsts too. Where
-- there is a build of the hour (start_cache), start_built stands for start_fine and recent.
-- `$` is the name of an instant (s: start, q: start of the last quarter).
-- params: those of value_at for e (where used); $Fine, $Old, $Hour, $ToHour DateTime (boundary, midnight, first and last
--         hour of the readings after the boundary), $Older Array(Int64) (midnights, s), $Build Int64 (eBuild too),
--         $Least, $LeastStart, $Next,
--         $OldNext, $FirstNext String (as readings: the oldest that still counts, the same as a start, what follows the instant, what follows the readings that
--         only midnights hold, and, turned, what follows first readings after the instant); $ToMs Int64 (the instant); eMinMs
--         Int64 (the oldest reading that counts at the end); endMs Int64
-- row:    video_key, low (views, or likes where none are given), e_ms, start_ms, state, gain, velocity
-- reads:  latest_v1 or the boundary before the end; the boundary before the start and the readings up to it

-- part: ends_live
SELECT platform, video_key, reading
FROM {database:Identifier}.latest_v1 FINAL
WHERE 1 {{on_platforms}} {{keys}}

-- part: ends_past
SELECT known.platform AS platform, ended.video_key AS video_key, ended.reading AS reading
FROM
(
    SELECT video_key, max(reading) AS reading
    FROM ({{e_fine}} UNION ALL {{e_late}})
    GROUP BY video_key
) AS ended
ANY INNER JOIN
(
    SELECT platform, video_key
    FROM {database:Identifier}.latest_v1
    WHERE 1 {{on_platforms}} {{keys}}
) AS known ON ended.video_key = known.video_key

-- part: start_fine
SELECT video_key, bitOr(reading, toUInt128('162259276829213363391578010288128')) AS start
FROM {database:Identifier}.boundaries_v1 FINAL
WHERE at = {$Fine:DateTime} AND is_old = 0 AND reading >= toUInt128({$Least:String}) {{on_platforms}} {{keys}}
{{$_firsts}}

-- part: start_built
SELECT video_key, bitOr({{$_built_value}}, toUInt128('162259276829213363391578010288128')) AS start
FROM {database:Identifier}.starts_v1
WHERE build = {$Build:Int64} AND start >= toUInt128({$LeastStart:String}) {{on_platforms}} {{keys}}
{{$_firsts}}

-- part: built_value
if(first < toUInt128({$Next:String}), first, before)

-- part: built_within
if(first < toUInt128({$Next:String}), first, if(before >= toUInt128({$Least:String}), before, 0))

-- part: built_more
arrayMax(reading -> if(reading < toUInt128({$Next:String}), reading, 0), more)

-- part: built_viewless
arrayMax(reading -> if(reading < toUInt128({$NextViewless:String}), reading, 0), viewless)

-- part: ends_built
SELECT platform, video_key, {{e_built_value}} AS reading
FROM {database:Identifier}.starts_v1
WHERE build = {eBuild:Int64} AND reading > 0 {{on_platforms}} {{keys}}

-- part: ends_built_old
SELECT platform, video_key, max(reading) AS reading
FROM
(
    {{ends_built}}
    UNION ALL
    SELECT platform, video_key, reading
    FROM {database:Identifier}.boundaries_v1
    WHERE at IN (SELECT toDateTime(arrayJoin({eOlds:Array(Int64)}), 'UTC')) AND is_old = 1
        AND bitAnd(toInt64(bitShiftRight(reading, 64)), 4398046511103) >= {eMinMs:Int64} {{on_platforms}} {{keys}}
)
GROUP BY platform, video_key

-- part: start_late
SELECT video_key, max(start) AS start
FROM ({{$_late_parts}})
GROUP BY video_key

-- part: recent
SELECT video_key, bitOr(reading, toUInt128('162259276829213363391578010288128')) AS start
FROM {database:Identifier}.readings_v1
WHERE hour_at >= {$Hour:DateTime} AND hour_at <= {$ToHour:DateTime}
    AND reading >= toUInt128({$Least:String}) AND reading < toUInt128({$Next:String}) {{on_platforms}} {{keys}}

-- part: rare
SELECT video_key, bitOr(reading, toUInt128('162259276829213363391578010288128')) AS start
FROM {database:Identifier}.boundaries_v1
WHERE at = {$Old:DateTime} AND is_old = 1
    AND reading >= toUInt128({$Least:String}) AND reading < toUInt128({$OldNext:String}) {{on_platforms}} {{keys}}
{{$_older}}
UNION ALL
{{$_published}}

-- part: older
UNION ALL
SELECT video_key, bitOr(reading, toUInt128('162259276829213363391578010288128')) AS start
FROM {database:Identifier}.boundaries_v1
WHERE at IN (SELECT toDateTime(arrayJoin({$Older:Array(Int64)}), 'UTC')) AND reading >= toUInt128({$Least:String}) {{on_platforms}} {{keys}}

-- part: reawakened
SELECT video_key, bitXor(reading, bitOr(bitShiftLeft(toUInt128(1), 106), bitShiftLeft(toUInt128(4398046511103), 64))) AS start
FROM {database:Identifier}.readings_v1
WHERE hour_at >= {$ToHour:DateTime}
    AND hour_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    AND observed_at > fromUnixTimestamp64Milli({$ToMs:Int64}, 'UTC')
    AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')
    AND reading >= toUInt128('81129638414606681695789005144064') {{on_platforms}} {{keys}}

-- part: firsts
UNION ALL
SELECT video_key, bitXor(turned, toUInt128('81129638414606681695789005144064')) AS start
FROM {database:Identifier}.firsts_v1 FINAL
WHERE turned >= toUInt128('81129638414606681695789005144064') AND turned < toUInt128({$FirstNext:String}) {{on_platforms}} {{keys}}

-- part: published
SELECT video_key, bitOr(toUInt128('81129638414606681695789005144064'), bitShiftLeft(toUInt128(toInt64(announced)), 64)) AS start
FROM {database:Identifier}.published_v1 FINAL
WHERE toInt64(announced) > {$ToMs:Int64} AND toInt64(announced) <= {endMs:Int64} {{on_platforms}} {{keys}}

-- part: names
toInt64(ends.reading) AS low,
bitAnd(toInt64(bitShiftRight(ends.reading, 64)), 4398046511103) AS e_ms,
{{start}} AS start,
ends.reading < toUInt128('81129638414606681695789005144064') AS is_viewless,
start = 0 AND NOT is_viewless AS is_unknown

-- part: measures
, multiIf(
    is_viewless, 4,
    start >= toUInt128('162259276829213363391578010288128'), 0,
    start >= toUInt128('81129638414606681695789005144064'), 1,
    start > 0, 2,
    3) AS state,
bitAnd(toInt64(bitShiftRight(start, 64)), 4398046511103) AS start_bits,
if(state = 2, 4398046511103 - start_bits, start_bits) AS start_ms,
if(state < 3, low - toInt64(start), NULL) AS gain,
if(state < 3 AND e_ms > start_ms, (low - toInt64(start)) * 3600000. / (e_ms - start_ms), NULL) AS velocity

-- part: joined
FROM ({{ends}}) AS ends
ANY LEFT JOIN ({{s_fine}}) AS fine ON ends.video_key = fine.video_key
{{late_join}}

-- part: late_join
ANY LEFT JOIN ({{s_late}}) AS late ON ends.video_key = late.video_key

-- part: window
WITH {{names}} {{measures}}
SELECT
    ends.platform AS platform,
    ends.video_key AS video_key,
    low,
    e_ms,
    state,
    gain,
    velocity
    {{is_new_here}}
{{joined}}
{{new_here}}
WHERE e_ms >= {eMinMs:Int64}

-- part: is_new_here
, announcement.start > 0 AS is_new_here

-- part: new_here
ANY LEFT JOIN ({{s_published}}) AS announcement ON ends.video_key = announcement.video_key

-- part: quarter
SELECT
    video_key,
    max(start) AS quarter_start,
    toInt64(quarter_start) AS quarter_views,
    bitAnd(toInt64(bitShiftRight(quarter_start, 64)), 4398046511103) AS quarter_bits,
    if(quarter_start < toUInt128('81129638414606681695789005144064'), 4398046511103 - quarter_bits, quarter_bits) AS quarter_ms
FROM ({{q_fine}} UNION ALL {{q_late}})
GROUP BY video_key
