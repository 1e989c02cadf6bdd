-- crm_performance: what one user's own accounts and posts did over a period, the one before it and each of its steps. All
-- instants of these windows are ends of buckets, so of each bucket the first and the last reading are enough: 0 is what lies
-- before the period before, 1 that period, and then one a step.
-- params: owner UUID; accountPlatforms, accountIds Array(String), one entry an account; postRows String (a line a post: platform, id,
--         place of its account, when it came out in ms or 0, with tabs between them); reachMs Int64 (the oldest reading that is looked at), beforeMs (start of the period before), fromMs, toMs,
--         stepMs Int64

-- part: posts
-- params: windowFrom, windowTo, windowBack Array(Int64), one entry a window: the period, the one before, the steps; windowBack is how
--         far back a value may lie
-- row:    account; of each counter that is asked for {{name}}_gain Array(Float64) (sums over posts by window), {{name}}_given, {{name}}_exact, {{name}}_partial
--         Array(UInt32) (how many posts gave any, one against a reading at the window's start, one against their first reading),
--         {{name}}_at Array(Float64) (the latest reading behind it, 0 for none); engaged, engaged_views, engaged_ms Array(Float64):
--         what posts that have views and any of the others gained of these and in views; engaged_over Array(UInt8): bits of the
--         others, the first one is 1
-- reads:  the owner's samples of these posts in that time
WITH
    {postRows:String} AS post_rows,
    {windowFrom:Array(Int64)} AS window_from,
    {windowTo:Array(Int64)} AS window_to,
    {windowBack:Array(Int64)} AS window_back
SELECT
    account,
    {{totals}},
    sumForEach(engaged_one) AS engaged,
    sumForEach(engaged_views_one) AS engaged_views,
    maxForEach(engaged_ms_one) AS engaged_ms,
    groupBitOrForEach(engaged_over_one) AS engaged_over
FROM
(
    SELECT
        *,
        arrayMap((views, others) -> toUInt8(views > 0 AND others > 0), views_states, others_one) AS is_engaged,
        arrayMap((is_it, likes, comments, shares, saves) -> toFloat64(is_it * (likes + comments + shares + saves)), is_engaged, likes_gains, comments_gains, shares_gains, saves_gains) AS engaged_one,
        arrayMap((is_it, views) -> toFloat64(is_it * views), is_engaged, views_gains) AS engaged_views_one,
        arrayMap((is_it, ms) -> is_it * ms, is_engaged, views_ends) AS engaged_ms_one,
        arrayMap((is_it, others) -> toUInt8(is_it * others), is_engaged, others_one) AS engaged_over_one
    FROM
    (
        SELECT
            *,
            {{gains}},
            arrayMap((likes, comments, shares, saves) -> toUInt8((likes > 0) + 2 * (comments > 0) + 4 * (shares > 0) + 8 * (saves > 0)), likes_states, comments_states, shares_states, saves_states) AS others_one
        FROM
        (
            SELECT platform, id, {{dense}}
            FROM
            (
                SELECT platform, video_id AS id, toUnixTimestamp64Milli(observed_at) AS at_ms, {{bucket}} AS bucket, views, likes, comments, shares, saves
                FROM {database:Identifier}.own_samples_v1
                WHERE owner_id = {owner:UUID} AND expires_at > now()
                    AND (platform, video_id) IN (SELECT fields[1], fields[2] FROM ({{named}}))
                    AND {{in_time}}
            )
            GROUP BY platform, id
        ) AS given
        INNER JOIN
        (
            SELECT fields[1] AS platform, fields[2] AS id, toUInt32(fields[3]) AS account, toInt64(fields[4]) AS published_ms FROM ({{named}})
        ) AS posts ON posts.platform = given.platform AND posts.id = given.id
    )
)
GROUP BY account

-- part: named
-- Posts as one text that is taken apart when the query runs: a thousand of them as literals take longer to plan than to read.
SELECT splitByChar('\t', arrayJoin(splitByChar('\n', materialize(post_rows)))) AS fields

-- part: dense
-- One counter of a post: its first and its last reading of each bucket, the instant in the upper 64 bits, so that one comparison
-- finds both. Of one instant the greatest number holds; so the first has it upside down. Of an empty bucket the last one is that of
-- the bucket before.
minIfResample(0, {{bucket_count}}, 1)(bitShiftLeft(toUInt128(at_ms), 64) + toUInt128(18446744073709551615 - assumeNotNull({{counter}})), isNotNull({{counter}}), bucket) AS {{counter}}_firsts,
arrayFill(cell -> cell != 0, maxIfResample(0, {{bucket_count}}, 1)(bitShiftLeft(toUInt128(at_ms), 64) + assumeNotNull({{counter}}), isNotNull({{counter}}), bucket)) AS {{counter}}_lasts

-- part: gains
-- As gainOf of analytics/scores.ts, window by window. States: 0 no value at the end, 1 against a value at the start, 2 against zero (it
-- came out in the window), 3 against its first reading in the window.
arrayMap(cell -> toInt64(bitShiftRight(cell, 64)), {{counter}}_lasts) AS {{counter}}_ms,
arrayMap(cell -> toInt64(toUInt64(cell)), {{counter}}_lasts) AS {{counter}}_values,
arrayMap(cell -> toInt64(18446744073709551615 - toUInt64(cell)), {{counter}}_firsts) AS {{counter}}_first_values,
arrayConcat([{{counter}}_ms[-1], {{counter}}_ms[2]], arraySlice({{counter}}_ms, 3)) AS {{counter}}_end_ms,
arrayMap(
    (end_ms, start_ms, from_ms, to_ms, back_ms) -> multiIf(
        end_ms < to_ms - back_ms, 0,
        start_ms >= from_ms - back_ms, 1,
        published_ms > from_ms AND published_ms <= to_ms, 2,
        3),
    {{counter}}_end_ms,
    arrayConcat([{{counter}}_ms[2], {{counter}}_ms[1]], arraySlice({{counter}}_ms, 2, {{bucket_count}} - 2)),
    window_from, window_to, window_back) AS {{counter}}_states,
arrayMap(
    (state, end, start, first) -> (state > 0) * (end - (state = 1) * start - (state = 3) * first),
    {{counter}}_states,
    arrayConcat([{{counter}}_values[-1], {{counter}}_values[2]], arraySlice({{counter}}_values, 3)),
    arrayConcat([{{counter}}_values[2], {{counter}}_values[1]], arraySlice({{counter}}_values, 2, {{bucket_count}} - 2)),
    arrayConcat([{{counter}}_first_values[2 + indexOf(arrayMap(cell -> cell != 0, arraySlice({{counter}}_firsts, 3)), 1)], {{counter}}_first_values[2]], arraySlice({{counter}}_first_values, 3))) AS {{counter}}_gains,
arrayMap((state, end_ms) -> (state > 0) * toFloat64(end_ms), {{counter}}_states, {{counter}}_end_ms) AS {{counter}}_ends

-- part: absent
-- In place of these: a counter that none of the posts ever had.
arrayWithConstant({{bucket_count}}, 0) AS {{counter}}_states,
arrayWithConstant({{bucket_count}}, toInt64(0)) AS {{counter}}_gains,
arrayWithConstant({{bucket_count}}, 0.) AS {{counter}}_ends

-- part: totals
sumForEach(arrayMap(gain -> toFloat64(gain), {{counter}}_gains)) AS {{counter}}_gain,
sumForEach(arrayMap(state -> toUInt32(state > 0), {{counter}}_states)) AS {{counter}}_given,
sumForEach(arrayMap(state -> toUInt32(state = 1), {{counter}}_states)) AS {{counter}}_exact,
sumForEach(arrayMap(state -> toUInt32(state = 3), {{counter}}_states)) AS {{counter}}_partial,
maxForEach({{counter}}_ends) AS {{counter}}_at

-- part: accounts
-- row:    platform, id, counter String (followers, views or likes), instants, amounts Array(Float64): one entry a reading, in no order;
--         of one instant the greatest. As floats, which are read ten times as fast as texts of 64 bits
SELECT toString(platform) AS platform, id, counter, arrayMap(pair -> toFloat64(pair.1), pairs) AS instants, arrayMap(pair -> toFloat64(pair.2), pairs) AS amounts
FROM
(
    SELECT platform, id, counter, arrayDistinct(arrayConcat(groupArray((first_ms, first_value)), groupArray((last_ms, last_value)))) AS pairs
    FROM
    (
        SELECT
            platform,
            id,
            pair.1 AS counter,
            {{bucket}} AS bucket,
            min(at_ms) AS first_ms,
            argMin(counted, (at_ms, -counted)) AS first_value,
            max(at_ms) AS last_ms,
            argMax(counted, (at_ms, counted)) AS last_value
        FROM
        (
            SELECT platform, id, at_ms, pair, toInt64(assumeNotNull(pair.2)) AS counted
            FROM
            (
                SELECT platform, creator_id AS id, toUnixTimestamp64Milli(observed_at) AS at_ms, [('followers', followers), ('views', views), ('likes', likes)] AS pairs
                FROM {database:Identifier}.own_creator_samples_v1
                WHERE owner_id = {owner:UUID} AND expires_at > now()
                    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
                    AND {{in_time}}
            )
            ARRAY JOIN pairs AS pair
            WHERE isNotNull(pair.2)
        )
        GROUP BY platform, id, counter, bucket
    )
    GROUP BY platform, id, counter
)

-- part: in_time
observed_at >= fromUnixTimestamp64Milli({reachMs:Int64}, 'UTC')
AND observed_at <= fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')

-- part: bucket
toUInt32(multiIf(at_ms <= {beforeMs:Int64}, 0, at_ms <= {fromMs:Int64}, 1, 2 + intDiv(at_ms - {fromMs:Int64} - 1, {stepMs:Int64})))

-- part: days
-- params: owner, accountPlatforms, accountIds; sinceMs, toMs Int64 (days that were over after the one and up to the other)
-- row:    platform, id, day Date, end_ms Int64 (when it was over), counters Nullable(UInt64), at_ms Int64 (when it was read last); in
--         order of time
SELECT
    toString(platform) AS platform,
    creator_id AS id,
    toString(own.day) AS day,
    toUnixTimestamp(toDateTime(concat(toString(own.day + 1), ' 00:00:00'), 'America/Los_Angeles')) * 1000 AS end_ms,
    argMax(tuple(own.views), observed_at).1 AS views,
    argMax(tuple(own.likes), observed_at).1 AS likes,
    argMax(tuple(own.comments), observed_at).1 AS comments,
    argMax(tuple(own.shares), observed_at).1 AS shares,
    argMax(tuple(own.saves), observed_at).1 AS saves,
    argMax(tuple(own.watch_minutes), observed_at).1 AS watch_minutes,
    argMax(tuple(own.followers_gained), observed_at).1 AS followers_gained,
    argMax(tuple(own.followers_lost), observed_at).1 AS followers_lost,
    toUnixTimestamp64Milli(max(observed_at)) AS at_ms
FROM {database:Identifier}.own_days_v1 AS own
WHERE owner_id = {owner:UUID} AND expires_at > now()
    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
    AND own.day >= toDate(fromUnixTimestamp64Milli({sinceMs:Int64}, 'UTC')) - 2
    AND expires_at > now()
GROUP BY platform, id, own.day
HAVING end_ms > {sinceMs:Int64} AND end_ms <= {toMs:Int64}
ORDER BY platform, id, day

-- part: ever
-- row:    platform, id, counters Array(String): what was ever read of each post, of each account itself and of its days
WITH {postRows:String} AS post_rows
SELECT toString(platform) AS platform, video_id AS id, arrayFilter(name -> name != '', [if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', ''), if(max(isNotNull(comments)), 'comments', ''), if(max(isNotNull(shares)), 'shares', ''), if(max(isNotNull(saves)), 'saves', '')]) AS counters
FROM {database:Identifier}.own_samples_v1
WHERE owner_id = {owner:UUID} AND expires_at > now()
    AND (platform, video_id) IN (SELECT fields[1], fields[2] FROM ({{named}}))
GROUP BY platform, video_id
UNION ALL
SELECT toString(platform) AS platform, creator_id AS id, arrayFilter(name -> name != '', [if(max(isNotNull(followers)), 'followers', ''), if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', '')]) AS counters
FROM {database:Identifier}.own_creator_samples_v1
WHERE owner_id = {owner:UUID} AND expires_at > now()
    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
GROUP BY platform, creator_id
UNION ALL
SELECT toString(platform) AS platform, creator_id AS id, arrayFilter(name -> name != '', [if(max(isNotNull(views)), 'views', ''), if(max(isNotNull(likes)), 'likes', ''), if(max(isNotNull(comments)), 'comments', ''), if(max(isNotNull(shares)), 'shares', ''), if(max(isNotNull(saves)), 'saves', '')]) AS counters
FROM {database:Identifier}.own_days_v1
WHERE owner_id = {owner:UUID} AND expires_at > now()
    AND (platform, creator_id) IN (SELECT arrayJoin(arrayZip({accountPlatforms:Array(String)}, {accountIds:Array(String)})))
GROUP BY platform, creator_id
