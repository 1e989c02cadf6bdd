import { systemClock } from '../../core/clock.ts'
import { logMailer } from '../../core/mail/log-mailer.ts'
import type { Mailer } from '../../core/mail/port.ts'
import { smtpMailer } from '../../core/mail/smtp.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { createApiKeyAuthenticator } from '../../server/auth/api-keys.ts'
import { type Authenticator, anyOf } from '../../server/auth/authenticator.ts'
import { createGoogleSignIn } from '../../server/auth/google.ts'
import { type OpenAccounts, openAccounts } from '../../server/auth/open-accounts.ts'
import { supabaseAuthenticator } from '../../server/auth/supabase.ts'
import { isLoopbackHost, reachable } from '../../server/http/hosts.ts'
import type { OpenOptions, Stores } from './stores.ts'

/** Signing in as it is configured; the scope closes it. */
export async function startAccounts(
  { config, scope, log }: OpenOptions,
  stores: Stores,
  o: { outbound: Outbound /** Of the running server, null before it listens. */; url: () => string | null },
): Promise<{ accounts: OpenAccounts; auth: Authenticator }> {
  const mailer = await startMailer({ config, scope, log })
  const deps = { ...stores, clock: systemClock, log, outbound: o.outbound }
  const publicUrl = config.publicUrl?.replace(/\/+$/, '') ?? null
  const accounts = await scope.start(
    'accounts',
    () =>
      openAccounts(deps, {
        secret: stores.secrets.jwt,
        ownerId: stores.ownerId,
        mailer,
        google: config.google.google === 'on' ? createGoogleSignIn(deps, config.google) : null,
        registration: config.registration,
        linkBase() {
          const url = o.url()
          return publicUrl ?? (url === null ? null : reachable(url))
        },
      }),
    accounts => accounts.close(),
  )
  const apiKeys = await scope.start(
    'API keys',
    () =>
      createApiKeyAuthenticator({
        ...deps,
        serviceKey: { key: stores.secrets.agentKey, userId: stores.ownerId },
      }),
    apiKeys => apiKeys.close(),
  )
  const { supabase, registration } = config
  const others = supabase.supabase === 'on' ? [supabaseAuthenticator({ ...deps, registration }, supabase)] : []
  return { accounts, auth: anyOf([accounts.sessions, apiKeys, ...others]) }
}

/** Accounts protect an open port; nothing but TLS protects what travels to it. */
export function warnOfOpenPort({ config, log }: Pick<OpenOptions, 'config' | 'log'>): void {
  if (isLoopbackHost(config.host) || config.publicUrl?.startsWith('https:')) return
  log.warn(
    { host: config.host },
    'Others reach this server, and nothing says that TLS is in front of it: passwords travel as they are. Put a proxy with TLS there and set PUBLIC_URL to its https address.',
  )
}

/** A cluster without a mail server sends none: nobody reads the logs of its nodes for links. */
async function startMailer({
  config,
  scope,
  log,
}: Pick<OpenOptions, 'config' | 'scope' | 'log'>): Promise<Mailer | null> {
  const { mail } = config
  if (mail.mail === 'off') return config.stores.profile === 'embedded' ? logMailer({ log }) : null
  return await scope.start(
    'mailer',
    () => smtpMailer(mail),
    mailer => mailer.close(),
  )
}
