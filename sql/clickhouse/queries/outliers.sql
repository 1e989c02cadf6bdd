-- outliers: for each clip of a page, the views that its creator's last 30 earlier uploads of the same kind had at the
-- same age: the last reading at or before it, no older than 36 h. A clip that may stand in mixed lists is held only against
-- uploads that may, whatever the list: its multiple is one number.
-- params: pagePlatforms, pageIds, pageCreators, pageKinds Array(String), pagePublished, pageAges Array(Int64), one entry a clip
-- row:    platform, video_id, peers Array(UInt64)
-- reads:  descriptions and samples of the uploads of the creators of one page
WITH
    page AS
    (
        SELECT clip.1 AS platform, clip.2 AS video_id, clip.3 AS creator_id, clip.4 AS kind, clip.5 AS published_ms, clip.6 AS age_ms
        FROM (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)}, {pageCreators:Array(String)}, {pageKinds:Array(String)}, {pagePublished:Array(Int64)}, {pageAges:Array(Int64)})) AS clip)
    ),
    uploads AS
    (
        SELECT
            platform,
            video_id,
            argMaxIf(said.creator_id, (observed_at, source), said.creator_id != '') AS creator_id,
            argMax(toString(said.kind), (observed_at, source)) AS kind,
            toUnixTimestamp64Milli(assumeNotNull(argMax(published_at, (observed_at, source)))) AS published_ms,
            cityHash64(platform, video_id) NOT IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1) AS may_mix
        FROM {database:Identifier}.videos_v1 AS said
        WHERE (platform, video_id) IN
            (
                SELECT platform, video_id
                FROM {database:Identifier}.creator_videos_v1
                WHERE (platform, creator_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageCreators:Array(String)})))
            )
            AND published_at IS NOT NULL
            AND expires_at > now()
        GROUP BY platform, video_id
    ),
    peers AS
    (
        SELECT
            toString(page.platform) AS platform,
            page.video_id AS video_id,
            uploads.video_id AS peer_id,
            uploads.published_ms + page.age_ms AS until_ms
        FROM page
        INNER JOIN uploads ON toString(uploads.platform) = page.platform AND uploads.creator_id = page.creator_id AND uploads.kind = page.kind
        WHERE uploads.published_ms < page.published_ms
            AND (uploads.may_mix OR cityHash64(page.platform, page.video_id) IN (SELECT video_key FROM {database:Identifier}.unmixable_videos_v1))
        ORDER BY uploads.published_ms DESC, uploads.video_id
        LIMIT 30 BY page.platform, page.video_id
    )
SELECT platform, video_id, groupArray(peer_views) AS peers
FROM
(
    SELECT peers.platform AS platform, peers.video_id AS video_id, peers.peer_id AS peer_id, argMax(samples.views, (samples.at_ms, samples.views)) AS peer_views
    FROM peers
    INNER JOIN
    (
        SELECT toString(platform) AS platform, video_id, toUnixTimestamp64Milli(observed_at) AS at_ms, assumeNotNull(views) AS views
        FROM {database:Identifier}.samples_v1
        WHERE views IS NOT NULL
            AND (platform, video_id) IN
            (
                SELECT platform, video_id
                FROM {database:Identifier}.creator_videos_v1
                WHERE (platform, creator_id) IN (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageCreators:Array(String)})))
            )
    ) AS samples ON samples.platform = peers.platform AND samples.video_id = peers.peer_id
    WHERE samples.at_ms <= peers.until_ms AND samples.at_ms >= peers.until_ms - 129600000
    GROUP BY platform, video_id, peer_id
)
GROUP BY platform, video_id
