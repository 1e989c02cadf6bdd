/**
 * Every setting that the environment or `.env` may hold: the table from which `.env.example` and `docs/env.md` are made,
 * and which `core/config.ts` reads. What has no default is off, or made once in the home folder.
 */
export interface Setting {
  readonly name: string
  readonly group: 'server' | 'stores' | 'secrets' | 'platforms' | 'features' | 'media'
  readonly kind: 'text' | 'url' | 'port' | 'count' | 'flag' | 'list' | 'level' | 'choice' | 'secret'
  /** Of a choice: the words that it takes. */
  readonly choices?: readonly string[]
  /** Shown to users; null when there is none. */
  readonly default: string | null
  /** What it does, in a sentence, with its unit. */
  readonly effect: string
  /** Other names under which the same setting is accepted. */
  readonly aliases?: readonly string[]
}

export const settings = [
  {
    name: 'CLIPTAPE_HOME',
    group: 'server',
    kind: 'text',
    default: './.cliptape',
    effect: 'Folder with everything the embedded profile keeps: both stores, logs, secrets, the control socket.',
  },
  {
    name: 'PORT',
    group: 'server',
    kind: 'port',
    default: '4400',
    effect: 'TCP port of HTTP and WebSocket; 0 takes any free one.',
    aliases: ['MCP_SERVICE_PORT'],
  },
  {
    name: 'HOST',
    group: 'server',
    kind: 'text',
    default: '127.0.0.1',
    effect:
      'Address to listen on; 0.0.0.0 for all. Put TLS in front (PUBLIC_URL, TRUST_PROXY) of any that others reach.',
    aliases: ['MCP_SERVICE_HOST'],
  },
  {
    name: 'SSH_PORT',
    group: 'server',
    kind: 'port',
    default: '4422',
    effect: 'TCP port of the SSH terminal.',
  },
  {
    name: 'PUBLIC_URL',
    group: 'server',
    kind: 'url',
    default: null,
    effect: 'Address under which browsers reach this server, for links and OAuth redirects.',
    aliases: ['OAUTH_REDIRECT_BASE'],
  },
  {
    name: 'TRUST_PROXY',
    group: 'server',
    kind: 'count',
    default: '0',
    effect: 'How many reverse proxies in front may be believed about the client address (0 to 10).',
  },
  {
    name: 'CORS_ORIGINS',
    group: 'server',
    kind: 'list',
    default: null,
    effect: 'Origins, separated by commas, whose pages may call the API. None unless named.',
  },
  {
    name: 'LOG_LEVEL',
    group: 'server',
    kind: 'level',
    default: 'info',
    effect: 'How much is logged: fatal, error, warn, info, debug or trace.',
  },
  {
    name: 'DATABASE_URL',
    group: 'stores',
    kind: 'secret',
    default: null,
    effect: 'Postgres 15 or newer with pgvector. With CLICKHOUSE_URL it selects the cluster profile.',
  },
  {
    name: 'CLICKHOUSE_URL',
    group: 'stores',
    kind: 'secret',
    default: null,
    effect: 'ClickHouse server over HTTP. With DATABASE_URL it selects the cluster profile.',
  },
  {
    name: 'REDIS_URL',
    group: 'stores',
    kind: 'secret',
    default: null,
    effect: 'Redis for the bus, shared state and rate limits. The cluster profile needs it.',
  },
  {
    name: 'ENGINE_SANDBOX',
    group: 'stores',
    kind: 'choice',
    choices: ['auto', 'on', 'off'],
    default: 'auto',
    effect:
      'Whether the embedded analytics engine, which runs users’ SQL, is shut in by bwrap (bubblewrap): away from other files, the network and other processes. auto: where that works; on: or it does not start.',
  },
  {
    name: 'S3_URL',
    group: 'stores',
    kind: 'secret',
    default: null,
    effect:
      'S3-compatible bucket for clips and uploads, https://<access key>:<secret key>@<host>/<bucket>?region=<region>; a folder in the home without it.',
  },
  {
    name: 'JWT_SECRET',
    group: 'secrets',
    kind: 'secret',
    default: null,
    effect: 'Seals the keys that sign sessions. Made once in the home when absent; required in the cluster profile.',
  },
  {
    name: 'VAULT_KEY',
    group: 'secrets',
    kind: 'secret',
    default: null,
    effect:
      'Encrypts stored tokens of linked accounts. Made once in the home when absent; required in the cluster profile.',
    aliases: ['DB_ENCRYPTION_KEY'],
  },
  {
    name: 'VAULT_KEY_PREVIOUS',
    group: 'secrets',
    kind: 'secret',
    default: null,
    effect:
      'Earlier values of VAULT_KEY, separated by commas, that may still be read while `cliptape vault rotate` changes the key.',
  },
  {
    name: 'VAULT_STORE',
    group: 'features',
    kind: 'choice',
    choices: ['own', 'supabase'],
    default: 'own',
    effect:
      'Where secrets are kept: own (sealed with VAULT_KEY in our own tables) or supabase (Supabase Vault in the database of DATABASE_URL).',
  },
  {
    name: 'WEBHOOK_ORIGINS',
    group: 'features',
    kind: 'list',
    default: null,
    effect:
      'Origins of your own network, separated by commas, to which webhooks may be sent, e.g. http://10.0.0.5:5678, by everybody who has an account. Otherwise only public addresses.',
  },
  {
    name: 'AGENT_API_KEY',
    group: 'secrets',
    kind: 'secret',
    default: null,
    effect: 'Signs the agent runtime in. Made once in the home when absent; required in the cluster profile.',
  },
  {
    name: 'SUPABASE_URL',
    group: 'features',
    kind: 'url',
    default: null,
    effect: 'Supabase project, whose access tokens are then accepted.',
  },
  {
    name: 'SUPABASE_ANON_KEY',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: "The Supabase project's public key. Needs SUPABASE_URL as well.",
    aliases: ['SUPABASE_KEY'],
  },
  {
    name: 'SUPABASE_SERVICE_ROLE_KEY',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: "The Supabase project's service key. Needs SUPABASE_URL as well.",
  },
  {
    name: 'SUPABASE_JWT_SECRET',
    group: 'features',
    kind: 'secret',
    default: null,
    effect:
      "The Supabase project's JWT secret, where it still signs with one (HS256); without it the project's public keys are asked for.",
  },
  {
    name: 'REGISTRATION',
    group: 'features',
    kind: 'choice',
    choices: ['open', 'closed'],
    default: 'open',
    effect: 'Whether anybody may make an account (open), or only those that exist may sign in (closed).',
  },
  {
    name: 'SMTP_URL',
    group: 'features',
    kind: 'secret',
    default: null,
    effect:
      'Mail server for links that verify an address or reset a password, e.g. smtps://user:password@mail.example:465. In a cluster it needs PUBLIC_URL.',
  },
  {
    name: 'MAIL_FROM',
    group: 'features',
    kind: 'text',
    default: null,
    effect: 'Sender of mails; cliptape@ and the host of PUBLIC_URL without it.',
  },
  {
    name: 'STRIPE_SECRET_KEY',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: 'Billing through Stripe. Needs STRIPE_WEBHOOK_SECRET as well.',
    aliases: ['PAYMENT_GATEWAY_SECRET_KEY'],
  },
  {
    name: 'STRIPE_WEBHOOK_SECRET',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: "Checks the signature of Stripe's calls.",
  },
  {
    name: 'ANTHROPIC_API_KEY',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: 'Agents on Anthropic models.',
  },
  {
    name: 'OPENAI_API_KEY',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: 'Agents and embeddings on OpenAI models.',
  },
  {
    name: 'COMPOSIO_API_KEY',
    group: 'features',
    kind: 'secret',
    default: null,
    effect: 'Connectors through Composio.',
  },
  {
    name: 'MCP_OAUTH_CLIENTS',
    group: 'features',
    kind: 'list',
    default: null,
    effect: 'OAuth clients, separated by commas, that may ask for access to the MCP server.',
  },
  {
    name: 'EXTERNAL_API_RATE_LIMIT',
    group: 'features',
    kind: 'count',
    default: '60',
    effect: "Requests a minute that one API key may make, where its owner's plan has no limit of its own (at least 1).",
  },
  {
    name: 'YOUTUBE_API_KEY',
    group: 'platforms',
    kind: 'secret',
    default: null,
    effect: 'Key of the YouTube Data API for public statistics.',
  },
  {
    name: 'YOUTUBE_CHARTS',
    group: 'platforms',
    kind: 'list',
    default: 'US,GB,DE,BR,IN,JP',
    effect:
      "YouTube's public charts to read every hour, separated by commas: countries (US), one of their categories by its id (US/20), or each category (US/*); none for no charts. A chart takes up to 4 of a key's 10,000 units a day each time.",
  },
  {
    name: 'YOUTUBE_DERIVED_METRICS',
    group: 'platforms',
    kind: 'choice',
    choices: ['none', 'accepted'],
    default: 'none',
    effect:
      "Whether YouTube's terms for derived metrics were accepted for YOUTUBE_API_KEY. With accepted, what the key reads has measures and its numbers are kept for 36 months; with none it is shown as raw counters and kept for 30 days.",
  },
  {
    name: 'GOOGLE_CLIENT_ID',
    group: 'platforms',
    kind: 'text',
    default: null,
    effect: 'OAuth client that signs in with Google and links YouTube accounts. Needs GOOGLE_CLIENT_SECRET as well.',
  },
  {
    name: 'GOOGLE_CLIENT_SECRET',
    group: 'platforms',
    kind: 'secret',
    default: null,
    effect: 'Secret of that OAuth client.',
  },
  {
    name: 'YOUTUBE_API_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://youtube.googleapis.com',
    effect: 'Base address of the YouTube Data API; this and the next ones change for a sandbox (`cliptape sandbox`).',
  },
  {
    name: 'YOUTUBE_ANALYTICS_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://youtubeanalytics.googleapis.com',
    effect: 'Base address of the YouTube Analytics API.',
  },
  {
    name: 'GOOGLE_AUTHORIZE_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://accounts.google.com',
    effect: "Base address of Google's consent page.",
  },
  {
    name: 'GOOGLE_OAUTH_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://oauth2.googleapis.com',
    effect: "Base address of Google's sign-in.",
  },
  {
    name: 'GOOGLE_CERTS_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://www.googleapis.com/oauth2/v3/certs',
    effect: "Where the keys are that sign Google's ID tokens.",
  },
  {
    name: 'TIKTOK_AUTHORIZE_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://www.tiktok.com',
    effect: "Base address of TikTok's consent page.",
  },
  {
    name: 'TIKTOK_API_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://open.tiktokapis.com',
    effect: 'Base address of the TikTok APIs.',
  },
  {
    name: 'INSTAGRAM_AUTHORIZE_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://www.instagram.com',
    effect: "Base address of Instagram's consent page.",
  },
  {
    name: 'INSTAGRAM_TOKEN_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://api.instagram.com',
    effect: 'Base address where Instagram gives its first, short token.',
  },
  {
    name: 'INSTAGRAM_API_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://graph.instagram.com',
    effect: 'Base address of the Instagram APIs, with Instagram Login.',
  },
  {
    name: 'FACEBOOK_AUTHORIZE_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://www.facebook.com',
    effect: "Base address of Facebook's consent page.",
  },
  {
    name: 'FACEBOOK_API_URL',
    group: 'platforms',
    kind: 'url',
    default: 'https://graph.facebook.com',
    effect: 'Base address of the Instagram APIs, with Facebook Login.',
  },
  {
    name: 'META_GRAPH_VERSION',
    group: 'platforms',
    kind: 'text',
    default: 'v25.0',
    effect: 'Version of the Graph API of Instagram and Facebook.',
  },
  {
    name: 'FFMPEG_PATH',
    group: 'media',
    kind: 'text',
    default: 'ffmpeg',
    effect: 'The ffmpeg program that cuts clips.',
  },
  {
    name: 'CLIPTAPE_MEDIA_ROOTS',
    group: 'media',
    kind: 'list',
    default: null,
    effect: "Folders, separated by colons, from which the owner's media may be read.",
  },
  {
    name: 'CLIPTAPE_WORK_GIB',
    group: 'media',
    kind: 'count',
    default: '40',
    effect:
      'How much of the disk copies of media from addresses and buckets may take while they are analysed, in GiB for each process.',
  },
] as const satisfies readonly Setting[]

export type SettingName = (typeof settings)[number]['name']

/** Settings that other programs' setups hold and Cliptape does not need, with the reason. */
export const unneededSettings: Readonly<Record<string, string>> = {
  MONGODB_URI:
    'Cliptape keeps documents in Postgres (PGlite when embedded) beside everything else: there is no MongoDB.',
  PGPSODIUM_KEY_ID:
    'Cliptape encrypts tokens itself with VAULT_KEY before they reach the database, so the pgsodium extension has no part in it.',
}
