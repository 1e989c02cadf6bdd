import type { Config } from '../../core/config.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import type { OpenOptions } from './stores.ts'

/** The one way out of this process; the scope closes it. */
export async function startOutbound({ config, scope }: Pick<OpenOptions, 'config' | 'scope'>): Promise<Outbound> {
  return await scope.start(
    'outbound',
    () => openOutbound({ configuredOrigins: configuredOrigins(config) }),
    outbound => outbound.close(),
  )
}

/** Every origin that the operator's settings name. */
function configuredOrigins(config: Config): string[] {
  const supabase = config.supabase.supabase === 'on' ? [config.supabase.url] : []
  const google = config.google.google === 'on' ? [config.google.oauthUrl, config.google.certsUrl] : []
  const { graphVersion: _, ...platforms } = config.platformUrls
  return [...config.webhookOrigins, ...supabase, ...google, ...Object.values(platforms)]
}
