import type { Readable } from 'node:stream'
import type { User } from '../../contracts/accounts.ts'
import type { ApiKey, ApiKeyRequest, NewApiKey } from '../../contracts/api-keys.ts'
import type {
  BackupProgress,
  BackupRequest,
  ControlAccountRequest,
  ControlStatus,
  ControlTokenRequest,
  ReplayRequest,
  VaultRotationProgress,
} from '../../contracts/control.ts'
import type { ImportProgress, ImportRequest } from '../../contracts/import.ts'
import type { ControlQueryRequest } from '../../contracts/queries.ts'
import type { WorldStatus } from '../../contracts/ws.ts'

/**
 * What the control socket lets the owner do; whoever composes the process hands them in. Each rejects with an `AppError`
 * for what the caller can do something about. A `signal` fires when the caller has gone away.
 */
export interface ControlHandlers {
  status(): Promise<ControlStatus>
  /** An access token of the local owner. */
  token(request: ControlTokenRequest): Promise<string>
  import(request: ImportRequest, onProgress: (progress: ImportProgress) => void, signal: AbortSignal): Promise<void>
  /** The bytes of the answer in the format asked for. */
  query(request: ControlQueryRequest, signal: AbortSignal): Promise<Readable>
  startReplay(request: ReplayRequest): Promise<WorldStatus>
  stopReplay(): Promise<WorldStatus>
  backup(request: BackupRequest, onProgress: (progress: BackupProgress) => void, signal: AbortSignal): Promise<void>
  /** API keys of the local owner. */
  listKeys(): Promise<ApiKey[]>
  createKey(request: ApiKeyRequest): Promise<NewApiKey>
  revokeKey(id: string): Promise<void>
  listAccounts(): Promise<User[]>
  /** Resolves to the link under which the person sets a password. */
  addAccount(request: ControlAccountRequest): Promise<string>
  changeRole(request: ControlAccountRequest): Promise<void>
  /** Another such link. */
  renewLink(email: string): Promise<string>
  rotateVault(onProgress: (progress: VaultRotationProgress) => void, signal: AbortSignal): Promise<void>
}
