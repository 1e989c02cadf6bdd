-- settle_state: which cells hold samples that the boundaries do not know yet, the watermark, and the latest sample of all.
-- params: throughMs Int64
-- row:    cell_ms Int64 (0: settled_ms is the watermark; -1: settled_ms is the instant of the latest sample),
--         settled_ms Int64, insert_count Int64 (inserts into the cell so far; what settles it names this count)
-- reads:  rollup_cells_v1, one row per six hours that ever had a sample; the bounds of the parts of readings_v1
SELECT
    toInt64(toUnixTimestamp(cell_at)) * 1000 AS cell_ms,
    toUnixTimestamp64Milli(max(settled_at)) AS settled_ms,
    toInt64(sum(inserts)) AS insert_count
FROM {database:Identifier}.rollup_cells_v1
GROUP BY cell_at
HAVING cell_ms = 0 OR (sum(inserts) > max(settled_inserts) AND cell_ms <= {throughMs:Int64})
UNION ALL
SELECT toInt64(-1), toUnixTimestamp64Milli(max(observed_at)), toInt64(0)
FROM {database:Identifier}.readings_v1
