import { describe, expect, it } from 'vitest'
import { environmentWithoutSecrets, parseConfig, readEnvironment, unneededIn } from './config.ts'

const parse = (env: Record<string, string>, flags = {}) => parseConfig(env, flags, '/work-folder')
const mistakesOf = (env: Record<string, string>): string => {
  try {
    parse(env)
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
const secret = 'k'.repeat(43)
const cluster = {
  DATABASE_URL: 'postgres://u:p@127.0.0.1/db',
  CLICKHOUSE_URL: 'http://127.0.0.1:8123',
  REDIS_URL: 'redis://127.0.0.1',
  JWT_SECRET: secret,
  VAULT_KEY: secret,
  AGENT_API_KEY: secret,
}

describe('parseConfig', () => {
  it('needs nothing: the embedded profile on loopback', () => {
    const config = parse({})
    expect(config).toMatchObject({
      home: '/work-folder/.cliptape',
      host: '127.0.0.1',
      port: 4400,
      sshPort: 4422,
      stores: { profile: 'embedded' },
      blobs: { kind: 'directory' },
      billing: { billing: 'off' },
      secrets: { JWT_SECRET: null },
    })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('lets flags win over the environment', () => {
    expect(parse({ PORT: '5000', HOST: '127.0.0.2' }, { port: '0', host: '::1' })).toMatchObject({
      port: 0,
      host: '::1',
    })
  })

  it('accepts the other names of settings, the own name first', () => {
    expect(parse({ MCP_SERVICE_PORT: '5001', MCP_SERVICE_HOST: '::1' })).toMatchObject({ port: 5001, host: '::1' })
    expect(parse({ PORT: '5000', MCP_SERVICE_PORT: '5001' }).port).toBe(5000)
    expect(parse({ OAUTH_REDIRECT_BASE: 'https://tape.example' }).publicUrl).toBe('https://tape.example')
    expect(parse({ DB_ENCRYPTION_KEY: secret }).secrets.VAULT_KEY).toBe(secret)
    expect(parse({ PAYMENT_GATEWAY_SECRET_KEY: 'sk_live_1', STRIPE_WEBHOOK_SECRET: 'whsec_1' }).billing).toEqual({
      billing: 'stripe',
      secretKey: 'sk_live_1',
      webhookSecret: 'whsec_1',
    })
    expect(
      parse({ SUPABASE_URL: 'https://x.supabase.co', SUPABASE_KEY: 'anon', SUPABASE_SERVICE_ROLE_KEY: 'service' })
        .supabase,
    ).toEqual({
      supabase: 'on',
      url: 'https://x.supabase.co',
      anonKey: 'anon',
      serviceRoleKey: 'service',
      jwtSecret: null,
    })
  })

  it('takes the cluster profile when all three stores are named', () => {
    expect(parse(cluster).stores.profile).toBe('cluster')
  })

  it('refuses half a feature with the names that are missing', () => {
    expect(mistakesOf({ STRIPE_SECRET_KEY: 'sk_live_1' })).toContain(
      'STRIPE_WEBHOOK_SECRET must be set too, because STRIPE_SECRET_KEY is',
    )
    expect(mistakesOf({ DATABASE_URL: cluster.DATABASE_URL })).toContain('CLICKHOUSE_URL and REDIS_URL must be set too')
    expect(mistakesOf({ SUPABASE_ANON_KEY: 'anon' })).toContain(
      'SUPABASE_URL must be set too, because SUPABASE_ANON_KEY is',
    )
    expect(mistakesOf({ ...cluster, SMTP_URL: 'smtp://mail.example' })).toContain('PUBLIC_URL must be set too')
  })

  it('requires secrets in the cluster profile and never shows one', () => {
    const { VAULT_KEY: _, ...rest } = cluster
    expect(mistakesOf(rest)).toContain('VAULT_KEY must be set in the cluster profile')
    expect(mistakesOf({ ...cluster, JWT_SECRET: 'hunter2' })).toMatch(/JWT_SECRET must be at least 32 characters long/)
    expect(mistakesOf({ ...cluster, JWT_SECRET: 'hunter2' })).not.toContain('hunter2')
  })

  it.each(['changeme', 'your_key_here', 'xxx', '<key>', 'secret'])('refuses the placeholder %s', value => {
    expect(mistakesOf({ YOUTUBE_API_KEY: value })).toContain('YOUTUBE_API_KEY still holds a placeholder')
  })

  it('says everything that is wrong at once', () => {
    const message = mistakesOf({ PORT: '70000', LOG_LEVEL: 'loud', PUBLIC_URL: 'tape', TRUST_PROXY: '-1' })
    for (const name of ['PORT', 'LOG_LEVEL', 'PUBLIC_URL', 'TRUST_PROXY']) expect(message).toContain(name)
  })

  it('takes sign-in and mail as they are set', () => {
    expect(parse({})).toMatchObject({ registration: 'open', mail: { mail: 'off' }, google: { google: 'off' } })
    expect(parse({ REGISTRATION: 'closed' }).registration).toBe('closed')
    expect(mistakesOf({ REGISTRATION: 'maybe' })).toContain('REGISTRATION must be one of open, closed')
    expect(parse({ SMTP_URL: 'smtp://mail.example', PUBLIC_URL: 'https://tape.example' }).mail).toEqual({
      mail: 'smtp',
      url: 'smtp://mail.example',
      from: 'cliptape@tape.example',
    })
    expect(
      parse({ GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 'hush', GOOGLE_OAUTH_URL: 'http://g/' }).google,
    ).toEqual({
      google: 'on',
      clientId: 'id',
      clientSecret: 'hush',
      oauthUrl: 'http://g',
      certsUrl: 'https://www.googleapis.com/oauth2/v3/certs',
    })
  })

  it('takes earlier vault keys, a vault of Supabase in a cluster, and exact origins for webhooks', () => {
    expect(parse({ VAULT_KEY_PREVIOUS: `${'a'.repeat(43)}, ${'b'.repeat(43)}` }).vault).toEqual({
      store: 'own',
      previousKeys: ['a'.repeat(43), 'b'.repeat(43)],
    })
    expect(() => parse({ VAULT_STORE: 'supabase' })).toThrow('cluster profile')
    expect(() => parse({ VAULT_STORE: 'elsewhere' })).toThrow('own, supabase')
    expect(parse({ WEBHOOK_ORIGINS: 'http://10.0.0.5:5678' }).webhookOrigins).toEqual(['http://10.0.0.5:5678'])
    expect(() => parse({ WEBHOOK_ORIGINS: 'http://10.0.0.5:5678/hook' })).toThrow('WEBHOOK_ORIGINS')
  })

  it('knows where the platforms are, and takes another place for each of them', () => {
    expect(parse({}).platformUrls).toMatchObject({
      googleToken: 'https://oauth2.googleapis.com',
      youtubeData: 'https://youtube.googleapis.com',
      graphVersion: 'v25.0',
    })
    const { platformUrls } = parse({ TIKTOK_API_URL: 'http://127.0.0.1:4499/open.tiktokapis.com/' })
    expect(platformUrls.tiktokApi).toBe('http://127.0.0.1:4499/open.tiktokapis.com')
    expect(mistakesOf({ META_GRAPH_VERSION: 'latest' })).toContain('META_GRAPH_VERSION must be a version')
  })

  it('counts an empty setting as none', () => {
    expect(parse({ PORT: '', DATABASE_URL: ' ' })).toMatchObject({ port: 4400, stores: { profile: 'embedded' } })
  })
})

it('names what other setups hold and Cliptape does not need, with the reason', () => {
  expect(unneededIn({ MONGODB_URI: 'mongodb://x', PGPSODIUM_KEY_ID: '1' }).map(({ name }) => name)).toEqual([
    'MONGODB_URI',
    'PGPSODIUM_KEY_ID',
  ])
  expect(unneededIn({})).toEqual([])
})

it('keeps secrets from programs of others, by whichever name they came', () => {
  const env = {
    PATH: '/bin',
    DISPLAY: ':0',
    LOG_LEVEL: 'info',
    VAULT_KEY: 'a',
    DB_ENCRYPTION_KEY: 'b',
    DATABASE_URL: 'c',
  }
  expect(environmentWithoutSecrets(env)).toEqual({ PATH: '/bin', DISPLAY: ':0', LOG_LEVEL: 'info' })
})

it('reads no .env where there is none', () => {
  expect(readEnvironment('/nowhere').PATH).toBe(process.env.PATH)
})
