import { worldDatabases } from '../world.ts'

/** The databases that exist in every store: the worlds, and the two of views that users' SQL may read. */
const grantedDatabases = [...worldDatabases, 'v', 'mine'] as const

const databaseGrants = [
  'SHOW',
  'SELECT',
  'INSERT',
  'ALTER',
  'CREATE DATABASE',
  'CREATE TABLE',
  'CREATE VIEW',
  'DROP DATABASE',
  'DROP TABLE',
  'DROP VIEW',
  'TRUNCATE',
  'OPTIMIZE',
].join(', ')

/**
 * The statements that give the engine's only user what the program needs and nothing else: no files, no network, no
 * other database. `SELECT ON system.processes` and `KILL QUERY` are for stopping a query by its id.
 */
const grants: readonly string[] = [
  ...grantedDatabases.map(database => `GRANT ${databaseGrants} ON ${database}.*`),
  'GRANT TABLE ENGINE ON MergeTree',
  'GRANT KILL QUERY ON *.*',
  'GRANT SELECT ON system.processes',
]

/**
 * How long parts stay that a merge has replaced. The engine keeps them for eight minutes, because it does not take the
 * merged part for durable; ours are fsynced, and live inserts leave thousands of parts in that time.
 */
const oldPartsSec = 60
/**
 * How many times larger than its largest part a merge must be, at first: 5 in a server. Live inserts write many small
 * parts, and merging them took a third of the engine's time; with 15 an insert of 30 readings costs two thirds, for
 * about twice as many parts (ten a table).
 */
const mergeBase = 15

/**
 * The engine's configuration. Its caches may grow to gigabytes as it ships; the one of query conditions hardly ever
 * answers, because our conditions name instants.
 *
 * @param path where the file will lie, absolute: without `<user_directories>` that points back at the file itself,
 *   the engine ignores `<grants>` without a word
 */
export function engineConfig(o: { path: string; memoryBytesMax: number }): string {
  const queryMemoryBytesMax = Math.floor(o.memoryBytesMax * 0.8)
  return `<clickhouse>
  <timezone>UTC</timezone>
  <max_server_memory_usage>${o.memoryBytesMax}</max_server_memory_usage>
  <mark_cache_size>268435456</mark_cache_size>
  <primary_index_cache_size>268435456</primary_index_cache_size>
  <query_condition_cache_size>16777216</query_condition_cache_size>
  <merge_tree>
    <old_parts_lifetime>${oldPartsSec}</old_parts_lifetime>
    <merge_selector_base>${mergeBase}</merge_selector_base>
  </merge_tree>
  <max_table_size_to_drop>0</max_table_size_to_drop>
  <max_partition_size_to_drop>0</max_partition_size_to_drop>
  <profiles><default><async_insert>0</async_insert><max_memory_usage>${queryMemoryBytesMax}</max_memory_usage></default></profiles>
  <quotas><default><interval><duration>60</duration><queries>0</queries></interval></default></quotas>
  <users>
    <default>
      <password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
      <grants>
${grants.map(grant => `        <query>${grant}</query>`).join('\n')}
      </grants>
    </default>
  </users>
  <user_directories><users_xml><path>${escapeXml(o.path)}</path></users_xml></user_directories>
</clickhouse>
`
}

/**
 * Whether `SHOW GRANTS` says exactly what the configuration gave; anything more means that it was not applied.
 *
 * @param shown one grant a line
 */
export function grantsAreRestricted(shown: string): boolean {
  const expected = new Set(grants.map(grant => normalGrant(grant)))
  const found = shown
    .split('\n')
    .filter(line => line !== '')
    .map(line => normalGrant(line.replace(/ TO default$/, '')))
  return found.length === expected.size && found.every(grant => expected.has(grant))
}

/** The engine sorts privileges its own way; a set does not care. */
function normalGrant(grant: string): string {
  const [, privileges = '', scope = ''] = /^GRANT (.*) ON (.*)$/.exec(grant) ?? []
  return `${privileges.split(', ').sort().join(', ')} ON ${scope}`
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
