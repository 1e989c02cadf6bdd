-- settle_state: which cells hold samples that the boundaries do not know yet, the watermark, and the latest sample of all.
-- params: throughMs Int64
-- row:    one of the marks, one of the readings and two of the videos, each with the others' columns empty: unsettled
--         Array(Int64) (the ends of those cells up to throughMs, any order), insert_counts Array(Int64) (the
--         inserts into each so far: what settles it names this count), watermark_ms Int64, settled_key UInt64 (another
--         one after whatever was settled), latest_ms Int64, has_unmixable UInt8 (a video may not stand in mixed lists),
--         has_withheld UInt8 (of some video no measure may be made)
-- reads:  rollup_cells_v1, one row per six hours that ever had a sample; the bounds of the parts of readings_v1
SELECT
    groupArrayIf(cell_ms, inserted > settled AND cell_ms > 0 AND cell_ms <= {throughMs:Int64}) AS unsettled,
    groupArrayIf(toInt64(inserted), inserted > settled AND cell_ms > 0 AND cell_ms <= {throughMs:Int64}) AS insert_counts,
    maxIf(watermark, cell_ms = 0) AS watermark_ms,
    groupBitXor(cityHash64(cell_ms, settled, watermark)) AS settled_key,
    toInt64(0) AS latest_ms,
    toUInt8(0) AS has_unmixable,
    toUInt8(0) AS has_withheld
FROM
(
    SELECT
        toInt64(toUnixTimestamp(cell_at)) * 1000 AS cell_ms,
        sum(inserts) AS inserted,
        max(settled_inserts) AS settled,
        toUnixTimestamp64Milli(max(settled_at)) AS watermark
    FROM {database:Identifier}.rollup_cells_v1
    GROUP BY cell_at
)
UNION ALL
SELECT [], [], 0, 0, toUnixTimestamp64Milli(max(observed_at)), 0, 0
FROM {database:Identifier}.readings_v1
UNION ALL
SELECT [], [], 0, 0, 0, count() > 0, 0
FROM {database:Identifier}.unmixable_videos_v1
UNION ALL
SELECT [], [], 0, 0, 0, 0, count() > 0
FROM {database:Identifier}.video_terms_v1
WHERE may_derive = 0
