-- crm_counters: where the counters of a user's own accounts stand, without anything made of them.
-- params: owner UUID; accountPlatforms, accountIds Array(String), one entry an account; toMs Int64 (no later reading counts)

-- part: accounts
-- row:    platform, id, followers, views, likes Nullable(UInt64) of the last reading that gives each, at_ms Int64 (the last of all)
SELECT
    toString(platform) AS platform,
    creator_id AS id,
    argMax(own.followers, (observed_at, own.followers)) AS followers,
    argMax(own.views, (observed_at, own.views)) AS views,
    argMax(own.likes, (observed_at, own.likes)) AS likes,
    toUnixTimestamp64Milli(max(observed_at)) AS at_ms
FROM {database:Identifier}.own_creator_samples_v1 AS own
WHERE owner_id = {owner:UUID} AND expires_at > now()
    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
    AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
GROUP BY platform, creator_id

-- part: posts
-- row:    platform, id of the account; views, likes, comments, shares, saves Nullable(UInt64): of all its posts, of each the last
--         reading that gives the counter; at_ms Int64
SELECT
    platform,
    id,
    sum(last_views) AS views,
    sum(last_likes) AS likes,
    sum(last_comments) AS comments,
    sum(last_shares) AS shares,
    sum(last_saves) AS saves,
    max(last_ms) AS at_ms
FROM
(
    SELECT
        toString(platform) AS platform,
        creator_id AS id,
        argMax(own.views, (observed_at, own.views)) AS last_views,
        argMax(own.likes, (observed_at, own.likes)) AS last_likes,
        argMax(own.comments, (observed_at, own.comments)) AS last_comments,
        argMax(own.shares, (observed_at, own.shares)) AS last_shares,
        argMax(own.saves, (observed_at, own.saves)) AS last_saves,
        toUnixTimestamp64Milli(max(observed_at)) AS last_ms
    FROM {database:Identifier}.own_samples_v1 AS own
    WHERE owner_id = {owner:UUID} AND expires_at > now()
        AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
        AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')
    GROUP BY platform, creator_id, video_id
)
GROUP BY platform, id
