-- media_copies: which of a user's media may be copies of which, and which are.
-- Every part reads the rows of one owner only.

-- part: near_pictures
-- Media with a picture near one of a sample: {{sampled}} gives at_ms, bits_0 to bits_3 and the vod_id that each stands for;
-- {{compared}} says which rows they are held against.
-- params: owner UUID, vodId String, bitsMax UInt16, limit UInt16
-- row:    vod_id String, hits UInt64 (how many pictures of the sample were found)
-- reads:  the owner's rows of one kind; sample rows × compared rows, about 80 million pairs a second
SELECT {{subject}} AS vod_id, uniqExact(sample.sample_key) AS hits
FROM
(
    SELECT vod_id, bits_0, bits_1, bits_2, bits_3
    FROM {database:Identifier}.media_prints_v1
    WHERE owner_id = {owner:UUID} AND {{compared}}
) AS stored
CROSS JOIN
(
    SELECT vod_id, (vod_id, at_ms) AS sample_key, bits_0, bits_1, bits_2, bits_3
    FROM {database:Identifier}.media_prints_v1
    WHERE owner_id = {owner:UUID} AND {{sampled}}
    ORDER BY vod_id, view, cityHash64(at_ms)
    LIMIT 16 BY vod_id, view
) AS sample
WHERE bitHammingDistance(stored.bits_0, sample.bits_0) + bitHammingDistance(stored.bits_1, sample.bits_1)
    + bitHammingDistance(stored.bits_2, sample.bits_2) + bitHammingDistance(stored.bits_3, sample.bits_3) <= {bitsMax:UInt16}
GROUP BY vod_id
HAVING hits >= 2
ORDER BY hits DESC, vod_id
LIMIT {limit:UInt16}

-- part: same_sound
-- Media that share whole items of sound: of a copy's items a part is always equal to the bit.
-- params: owner UUID, vodId String, itemsMin UInt16, limit UInt16
-- row:    vod_id String, hits UInt64
-- reads:  the owner's rows of sound
SELECT vod_id, uniqExact(bits_0) AS hits
FROM {database:Identifier}.media_prints_v1
WHERE owner_id = {owner:UUID} AND kind = 'sound' AND vod_id != {vodId:String}
    AND bits_0 IN
    (
        SELECT bits_0
        FROM {database:Identifier}.media_prints_v1
        WHERE owner_id = {owner:UUID} AND kind = 'sound' AND vod_id = {vodId:String}
    )
GROUP BY vod_id
HAVING hits >= {itemsMin:UInt16}
ORDER BY hits DESC, vod_id
LIMIT {limit:UInt16}

-- part: print
-- params: owner UUID, vodId String
-- row:    kind String, view String, at_ms Array(UInt32), words Array(UInt32): of each instant 8, lower bits first
SELECT
    toString(kind) AS kind,
    toString(view) AS view,
    groupArray(at_ms) AS at_ms,
    arrayFlatten(groupArray(words)) AS words
FROM
(
    SELECT
        kind,
        view,
        at_ms,
        arrayFlatten(arrayMap(
            bits -> [toUInt32(bitAnd(bits, 4294967295)), toUInt32(bitShiftRight(bits, 32))],
            [bits_0, bits_1, bits_2, bits_3])) AS words
    FROM {database:Identifier}.media_prints_v1 FINAL
    WHERE owner_id = {owner:UUID} AND vod_id = {vodId:String}
    ORDER BY kind, view, at_ms
)
GROUP BY kind, view
ORDER BY kind, view

-- part: copies
-- params: owner UUID, originals Array(String), limit UInt32
-- row:    original_vod_id, copy_vod_id, kind, is_mirrored, speed, start_seconds, picture_share, sound_difference
SELECT
    original_vod_id,
    copy_vod_id,
    toString(kind) AS kind,
    is_mirrored,
    speed,
    start_seconds,
    picture_share,
    sound_difference
FROM {database:Identifier}.media_copies_v1 FINAL
WHERE owner_id = {owner:UUID} AND original_vod_id IN {originals:Array(String)}
ORDER BY original_vod_id, start_seconds, copy_vod_id
LIMIT {limit:UInt32}

-- part: forget_prints
-- params: owner UUID, vodId String
ALTER TABLE {database:Identifier}.media_prints_v1 DELETE WHERE owner_id = {owner:UUID} AND vod_id = {vodId:String} SETTINGS mutations_sync = 2

-- part: forget_copies
-- params: owner UUID, vodId String
ALTER TABLE {database:Identifier}.media_copies_v1
DELETE WHERE owner_id = {owner:UUID} AND (original_vod_id = {vodId:String} OR copy_vod_id = {vodId:String}) SETTINGS mutations_sync = 2

-- part: has_prints
-- params: owner UUID, vodId String
-- row:    found UInt8
SELECT 1 AS found FROM {database:Identifier}.media_prints_v1 WHERE owner_id = {owner:UUID} AND vod_id = {vodId:String} LIMIT 1

-- part: printed
-- params: owner UUID, limit UInt32
-- row:    vod_id String: media whose pictures have a fingerprint
SELECT DISTINCT vod_id FROM {database:Identifier}.media_prints_v1 WHERE owner_id = {owner:UUID} AND kind = 'view' LIMIT {limit:UInt32}

-- part: pairs
-- params: owner UUID, limit UInt32
-- row:    original_vod_id, copy_vod_id String: copies that show the original's pictures, those found last first
SELECT original_vod_id, copy_vod_id
FROM {database:Identifier}.media_copies_v1 FINAL
WHERE owner_id = {owner:UUID} AND kind != 'sound'
ORDER BY found_at DESC, original_vod_id, copy_vod_id
LIMIT {limit:UInt32}
