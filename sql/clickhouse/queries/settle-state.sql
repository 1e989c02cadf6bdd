-- settle_state: which cells hold samples that the boundaries do not know yet, the watermark, the latest sample of all, and
-- the engine's clock.
-- params: throughMs Int64
-- row:    cell_ms Int64 (0: settled_ms is the watermark; -1: settled_ms is the instant of the latest sample),
--         settled_ms Int64, now_us Int64
-- reads:  rollup_cells_v1, one row per six hours that ever had a sample; the bounds of the parts of readings_v1
SELECT
    toInt64(toUnixTimestamp(cell_at)) * 1000 AS cell_ms,
    toUnixTimestamp64Milli(max(settled_at)) AS settled_ms,
    toUnixTimestamp64Micro(now64(6, 'UTC')) AS now_us
FROM {database:Identifier}.rollup_cells_v1
GROUP BY cell_at
HAVING cell_ms = 0 OR (max(written_at) > max(settled_at) AND cell_ms <= {throughMs:Int64})
UNION ALL
SELECT toInt64(-1), toUnixTimestamp64Milli(max(observed_at)), toUnixTimestamp64Micro(now64(6, 'UTC'))
FROM {database:Identifier}.readings_v1
