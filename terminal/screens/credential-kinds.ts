import type { Platform } from '../../contracts/ids.ts'
import type { Credentials } from '../../contracts/platform-accounts.ts'
import type { Field, FormSpec } from '../state/form.ts'

/** A kind of developer credentials as a person meets it: in the words of the platform's own pages. */
export interface CredentialKind {
  kind: Credentials['kind']
  platform: Platform
  title: string
  /** What the platform calls the public half; null where a key is all there is. */
  idLabel: string | null
  secretLabel: string
  /** Where to get them. */
  where: string
}

/** Every kind, in the order in which the screen lists them. */
export const credentialKinds: readonly CredentialKind[] = [
  {
    kind: 'google',
    platform: 'youtube',
    title: 'Google OAuth client',
    idLabel: 'Client ID',
    secretLabel: 'Client secret',
    where: 'console.cloud.google.com, Credentials, an OAuth client ID of the type Web application',
  },
  {
    kind: 'google_api_key',
    platform: 'youtube',
    title: 'Google API key',
    idLabel: null,
    secretLabel: 'API key',
    where: 'console.cloud.google.com, Credentials, an API key that may use the YouTube Data API',
  },
  {
    kind: 'tiktok_desktop',
    platform: 'tiktok',
    title: 'TikTok for Desktop',
    idLabel: 'Client key',
    secretLabel: 'Client secret',
    where: 'developers.tiktok.com, Manage apps, Login Kit for Desktop',
  },
  {
    kind: 'tiktok_web',
    platform: 'tiktok',
    title: 'TikTok for Web',
    idLabel: 'Client key',
    secretLabel: 'Client secret',
    where: 'developers.tiktok.com, Manage apps, Login Kit for Web',
  },
  {
    kind: 'instagram_login',
    platform: 'instagram',
    title: 'Instagram Login',
    idLabel: 'App ID',
    secretLabel: 'App secret',
    where: 'developers.facebook.com, My Apps, Instagram, API setup with Instagram login',
  },
  {
    kind: 'facebook_login',
    platform: 'instagram',
    title: 'Facebook Login',
    idLabel: 'App ID',
    secretLabel: 'App secret',
    where: 'developers.facebook.com, My Apps, App settings, Basic',
  },
]

/** The platforms' names as they write them. */
export const platformTitles: Readonly<Record<Platform, string>> = {
  youtube: 'YouTube',
  tiktok: 'TikTok',
  instagram: 'Instagram',
}

/** The form that takes credentials of a kind. Secrets are masked; names of fields are those of the request. */
export function credentialForm({ idLabel, secretLabel }: CredentialKind): FormSpec {
  const buttons: Field[] = [
    { kind: 'button', name: 'save', label: 'Save and try' },
    { kind: 'button', name: 'cancel', label: 'Cancel' },
  ]
  if (idLabel === null) return { fields: [masked('api_key', secretLabel), ...buttons], submit: 'save' }
  const id: Field = {
    kind: 'text',
    name: 'client_id',
    label: idLabel,
    lengthMax: 2000,
    check: text => (text.trim() === '' ? `Paste the ${idLabel} from the page of the platform.` : null),
  }
  return { fields: [id, masked('client_secret', secretLabel), ...buttons], submit: 'save' }
}

function masked(name: string, label: string): Field {
  return {
    kind: 'text',
    name,
    label,
    isMasked: true,
    lengthMax: 2000,
    check: text => (text.trim() === '' ? `Paste the ${label} from the page of the platform.` : null),
  }
}
