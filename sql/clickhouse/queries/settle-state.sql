-- settle_state: which cells hold samples that the boundaries do not know yet, the watermark, and the engine's clock.
-- params: throughMs Int64
-- row:    cell_ms Int64 (0 is the watermark's row), settled_ms Int64, now_us Int64
-- reads:  rollup_cells_v1, one row per six hours that ever had a sample
SELECT
    toInt64(toUnixTimestamp(cell_at)) * 1000 AS cell_ms,
    toUnixTimestamp64Milli(max(settled_at)) AS settled_ms,
    toUnixTimestamp64Micro(now64(6, 'UTC')) AS now_us
FROM {database:Identifier}.rollup_cells_v1
GROUP BY cell_at
HAVING cell_ms = 0 OR (max(written_at) > max(settled_at) AND cell_ms <= {throughMs:Int64})
ORDER BY cell_ms
