-- The collapsed views once more: ties between rows of one source that the engine has not merged yet are closed as a merge
-- closes them (`quality`), and a day's creator is that of the reading which gives the day's views.

CREATE OR REPLACE VIEW v.samples AS
SELECT
    platform,
    video_id,
    tupleElement(best, 1) AS creator_id,
    observed_at,
    tupleElement(best, 2) AS views,
    tupleElement(best, 3) AS likes,
    tupleElement(best, 4) AS comments,
    tupleElement(best, 5) AS shares,
    tupleElement(best, 6) AS saves,
    tupleElement(best, 7) AS source
FROM
(
    SELECT
        platform,
        video_id,
        observed_at,
        argMax((creator_id, views, likes, comments, shares, saves, toString(source)), (ifNull(toInt64(views), -1), ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source, quality)) AS best
    FROM {database}.samples_v1
    GROUP BY platform, video_id, observed_at
);

CREATE OR REPLACE VIEW v.trends AS
SELECT
    platform,
    video_id,
    creator_id,
    day,
    views,
    toNullable(toInt64(views) - toInt64(previous)) AS gain,
    readings
FROM
(
    SELECT
        platform,
        video_id,
        creator_id,
        day,
        views,
        readings,
        lagInFrame(toNullable(views)) OVER (PARTITION BY platform, video_id ORDER BY day ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT
            platform,
            video_id,
            toDate(observed_at, 'UTC') AS day,
            argMax(s.creator_id, (s.observed_at, s.views, ifNull(toInt64(s.likes), -1), ifNull(toInt64(s.comments), -1), s.source, s.quality)) AS creator_id,
            argMax(assumeNotNull(s.views), (s.observed_at, s.views)) AS views,
            uniqExact(s.observed_at) AS readings
        FROM {database}.samples_v1 AS s
        WHERE s.views IS NOT NULL
        GROUP BY platform, video_id, day
    )
);

CREATE OR REPLACE VIEW mine.samples AS
SELECT
    platform,
    video_id,
    tupleElement(best, 1) AS creator_id,
    observed_at,
    tupleElement(best, 2) AS views,
    tupleElement(best, 3) AS likes,
    tupleElement(best, 4) AS comments,
    tupleElement(best, 5) AS shares,
    tupleElement(best, 6) AS saves,
    tupleElement(best, 7) AS source
FROM
(
    SELECT
        platform,
        video_id,
        observed_at,
        argMax((creator_id, views, likes, comments, shares, saves, toString(source)), (ifNull(toInt64(views), -1), ifNull(toInt64(likes), -1), ifNull(toInt64(comments), -1), source, quality)) AS best
    FROM {database}.own_samples_v1
    WHERE owner_id = {owner:UUID}
    GROUP BY platform, video_id, observed_at
);

CREATE OR REPLACE VIEW mine.trends AS
SELECT
    platform,
    video_id,
    creator_id,
    day,
    views,
    toNullable(toInt64(views) - toInt64(previous)) AS gain,
    readings
FROM
(
    SELECT
        platform,
        video_id,
        creator_id,
        day,
        views,
        readings,
        lagInFrame(toNullable(views)) OVER (PARTITION BY platform, video_id ORDER BY day ASC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS previous
    FROM
    (
        SELECT
            platform,
            video_id,
            toDate(observed_at, 'UTC') AS day,
            argMax(s.creator_id, (s.observed_at, s.views, ifNull(toInt64(s.likes), -1), ifNull(toInt64(s.comments), -1), s.source, s.quality)) AS creator_id,
            argMax(assumeNotNull(s.views), (s.observed_at, s.views)) AS views,
            uniqExact(s.observed_at) AS readings
        FROM {database}.own_samples_v1 AS s
        WHERE s.views IS NOT NULL AND s.owner_id = {owner:UUID}
        GROUP BY platform, video_id, day
    )
);
