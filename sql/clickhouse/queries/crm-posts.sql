-- crm_posts: one user's own posts.
-- params: owner UUID; platforms, creators Array(String), one entry an account; endMs Int64 (readings after it are not looked at)

-- part: posts
-- params: postsMax UInt32
-- row:    platform, video_id, creator_id, kind, published_ms Nullable(Int64), views, likes, comments, shares, saves Nullable(UInt64),
--         views_ms Int64 (of the reading that gives the views; 0 without one), at_ms Int64, source
-- reads:  all samples of the accounts; each counter is that of the last reading that gives it
SELECT
    toString(given.platform) AS platform,
    given.video_id AS video_id,
    given.posted_by AS creator_id,
    said.kind AS kind,
    said.published_ms AS published_ms,
    given.last_views AS views,
    given.last_likes AS likes,
    given.last_comments AS comments,
    given.last_shares AS shares,
    given.last_saves AS saves,
    given.views_ms AS views_ms,
    given.at_ms AS at_ms,
    given.last_source AS source
FROM
(
    SELECT
        platform,
        video_id,
        argMax(creator_id, (observed_at, source)) AS posted_by,
        argMax(views, (observed_at, ifNull(views, 0))) AS last_views,
        argMax(likes, (observed_at, ifNull(likes, 0))) AS last_likes,
        argMax(comments, (observed_at, ifNull(comments, 0))) AS last_comments,
        argMax(shares, (observed_at, ifNull(shares, 0))) AS last_shares,
        argMax(saves, (observed_at, ifNull(saves, 0))) AS last_saves,
        maxIf(toUnixTimestamp64Milli(observed_at), isNotNull(views)) AS views_ms,
        toUnixTimestamp64Milli(max(observed_at)) AS at_ms,
        argMax(toString(source), (observed_at, source)) AS last_source
    FROM {database:Identifier}.own_samples_v1
    WHERE {{mine}}
    GROUP BY platform, video_id
) AS given
LEFT JOIN ({{described}}) AS said ON said.platform = given.platform AND said.video_id = given.video_id
ORDER BY ifNull(published_ms, 0) DESC, platform, video_id
LIMIT {postsMax:UInt32}

-- part: mine
owner_id = {owner:UUID}
AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({platforms:Array(String)}, {creators:Array(String)})))
AND observed_at <= fromUnixTimestamp64Milli({endMs:Int64}, 'UTC')

-- part: described
SELECT platform, video_id, argMax(toString(said_kind), (observed_at, source)) AS kind, toUnixTimestamp64Milli(argMax(published_at, (observed_at, source))) AS published_ms
FROM (SELECT platform, video_id, kind AS said_kind, published_at, observed_at, source FROM {database:Identifier}.videos_v1)
WHERE (platform, video_id) IN (SELECT platform, video_id FROM {database:Identifier}.own_samples_v1 WHERE {{mine}})
GROUP BY platform, video_id

-- part: ages
-- params: pagePlatforms, pageIds Array(String), pagePublished Array(Int64), one entry a post; ages Array(UInt16) (hours)
-- row:    platform, video_id, age_hours, views: the last reading of the 36 hours up to each age
WITH page AS
(
    SELECT post.1 AS platform, post.2 AS video_id, post.3 AS published_ms
    FROM (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)}, {pagePublished:Array(Int64)})) AS post)
)
SELECT platform, video_id, age AS age_hours, argMax(views, (at_ms, views)) AS views
FROM
(
    SELECT given.platform AS platform, given.video_id AS video_id, given.at_ms AS at_ms, given.views AS views, page.published_ms AS published_ms
    FROM
    (
        SELECT toString(platform) AS platform, video_id, toUnixTimestamp64Milli(observed_at) AS at_ms, assumeNotNull(own.views) AS views
        FROM {database:Identifier}.own_samples_v1 AS own
        WHERE {{mine}} AND isNotNull(own.views) AND (platform, video_id) IN (SELECT platform, video_id FROM page)
    ) AS given
    INNER JOIN page ON page.platform = given.platform AND page.video_id = given.video_id
)
ARRAY JOIN arrayFilter(age -> at_ms <= published_ms + age * 3600000 AND at_ms >= published_ms + age * 3600000 - 129600000, {ages:Array(UInt16)}) AS age
GROUP BY platform, video_id, age

-- part: peers
-- params: pagePlatforms, pageIds, pageCreators, pageKinds Array(String), pagePublished, pageAges Array(Int64), one entry a post
-- row:    platform, video_id, peers Array(UInt64): views of the account's last 30 earlier posts of the same kind at that age
WITH
    page AS
    (
        SELECT post.1 AS platform, post.2 AS video_id, post.3 AS creator_id, post.4 AS kind, post.5 AS published_ms, post.6 AS age_ms
        FROM (SELECT arrayJoin(arrayZip({pagePlatforms:Array(String)}, {pageIds:Array(String)}, {pageCreators:Array(String)}, {pageKinds:Array(String)}, {pagePublished:Array(Int64)}, {pageAges:Array(Int64)})) AS post)
    ),
    peers AS
    (
        SELECT page.platform AS platform, page.video_id AS video_id, uploads.video_id AS peer_id, uploads.published_ms + page.age_ms AS until_ms
        FROM page
        INNER JOIN
        (
            SELECT toString(owned.platform) AS platform, owned.video_id AS video_id, owned.posted_by AS creator_id, said.kind AS kind, assumeNotNull(said.published_ms) AS published_ms
            FROM (SELECT platform, video_id, argMax(creator_id, (observed_at, source)) AS posted_by FROM {database:Identifier}.own_samples_v1 WHERE {{mine}} GROUP BY platform, video_id) AS owned
            INNER JOIN ({{described}}) AS said ON said.platform = owned.platform AND said.video_id = owned.video_id
            WHERE isNotNull(said.published_ms)
        ) AS uploads ON uploads.platform = page.platform AND uploads.creator_id = page.creator_id AND uploads.kind = page.kind
        WHERE uploads.published_ms < page.published_ms
        ORDER BY uploads.published_ms DESC, uploads.video_id
        LIMIT 30 BY page.platform, page.video_id
    )
SELECT platform, video_id, groupArray(peer_views) AS peers
FROM
(
    SELECT peers.platform AS platform, peers.video_id AS video_id, peers.peer_id AS peer_id, argMax(given.views, (given.at_ms, given.views)) AS peer_views
    FROM peers
    INNER JOIN
    (
        SELECT toString(platform) AS platform, video_id, toUnixTimestamp64Milli(observed_at) AS at_ms, assumeNotNull(own.views) AS views
        FROM {database:Identifier}.own_samples_v1 AS own
        WHERE {{mine}} AND isNotNull(own.views)
    ) AS given ON given.platform = peers.platform AND given.video_id = peers.peer_id
    WHERE given.at_ms <= peers.until_ms AND given.at_ms >= peers.until_ms - 129600000
    GROUP BY platform, video_id, peer_id
)
GROUP BY platform, video_id

-- part: early
-- params: fromMs, untilMs Int64 (publications between the two), postsMax UInt32
-- row:    platform, creator_id, published_ms Int64, views: what the newest posts had 24 hours after their publication
SELECT toString(given.platform) AS platform, any(given.creator_id) AS creator_id, any(said.published_ms) AS published_ms, argMax(given.views, (given.at_ms, given.views)) AS views
FROM
(
    SELECT platform, video_id, creator_id, toUnixTimestamp64Milli(observed_at) AS at_ms, assumeNotNull(own.views) AS views
    FROM {database:Identifier}.own_samples_v1 AS own
    WHERE {{mine}} AND isNotNull(own.views)
) AS given
INNER JOIN
(
    SELECT platform, video_id, assumeNotNull(published_ms) AS published_ms
    FROM ({{described}})
    WHERE isNotNull(published_ms) AND published_ms >= {fromMs:Int64} AND published_ms <= {untilMs:Int64}
) AS said ON said.platform = given.platform AND said.video_id = given.video_id
WHERE given.at_ms <= said.published_ms + 86400000 AND given.at_ms >= said.published_ms - 43200000
GROUP BY given.platform, given.video_id
ORDER BY published_ms DESC, platform, given.video_id
LIMIT {postsMax:UInt32}
