import type { ColumnType, Generated } from 'kysely'

type Timestamp = ColumnType<Date, Date | string, Date | string>
/** A timestamp that the store fills in when it is left out. */
type DefaultedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>
type Json = ColumnType<unknown, string, string>

/** Tables of `sql/postgres/migrations`, as Kysely sees them: one interface per table, snake_case as in SQL. */
export interface Database {
  users: UsersTable
  imports: ImportsTable
  dead_letters: DeadLettersTable
  drop_counts: DropCountsTable
  settings: SettingsTable
}

interface UsersTable {
  id: Generated<string>
  email: string | null
  role: 'owner' | 'user' | 'admin'
  is_local: boolean
  created_at: DefaultedTimestamp
}

/** One run of one file. */
interface ImportsTable {
  id: Generated<string>
  owner_id: string
  file_name: string
  file_sha256: string
  format: string
  status: 'running' | 'done' | 'failed'
  summary: Json | null
  started_at: DefaultedTimestamp
  finished_at: Timestamp | null
}

/** A record that could not be read, kept whole until a person replays or discards it. */
interface DeadLettersTable {
  id: Generated<string>
  owner_id: string
  /** Same file content, line and reason: same key, so that a second import adds nothing. */
  dedupe_key: string
  source: string
  format: string
  region: string
  reason: string
  message: string
  file_name: string
  line: number | null
  payload: Buffer
  status: Generated<'kept' | 'replayed' | 'discarded'>
  created_at: DefaultedTimestamp
}

/** How many rows a source dropped, by reason, over all runs of distinct files. */
interface DropCountsTable {
  owner_id: string
  source: string
  reason: string
  row_count: ColumnType<string, number | string, number | string>
}

interface SettingsTable {
  owner_id: string
  name: string
  value: Json
  updated_at: DefaultedTimestamp
}
