import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { packageRoot } from '../sql/read.ts'

const read = (name: string) => readFileSync(join(packageRoot, name), 'utf8')

const ServiceSchema = z.looseObject({
  image: z.string().optional(),
  build: z.string().optional(),
  command: z.array(z.string()).optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.looseObject({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  depends_on: z.record(z.string(), z.object({ condition: z.literal('service_healthy') })).default({}),
})
const compose = z
  .object({ services: z.record(z.string(), ServiceSchema), volumes: z.record(z.string(), z.null()) })
  .loose()
  .parse(parse(read('docker-compose.yml'), { merge: true }))

describe('docker-compose.yml', () => {
  it('runs the three stores of the cluster profile and Cliptape', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['clickhouse', 'postgres', 'redis', 'server', 'workers'])
    expect(compose.services.postgres?.image).toMatch(/^pgvector\/pgvector:/)
  })

  it('publishes the server on loopback only, and no store: who wants more puts TLS in front', () => {
    const published = Object.values(compose.services).flatMap(service => service.ports)
    expect(published).not.toHaveLength(0)
    for (const port of published) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it('pins every image to a version and holds no secret of its own', () => {
    for (const { image } of Object.values(compose.services)) if (image) expect(image).toMatch(/:\d[\w.-]+$/)
    for (const { environment } of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(environment)) {
        // From the environment: required, or empty.
        if (/PASSWORD|SECRET|_KEY$/.test(name)) expect(value, name).toMatch(/^\$\{[A-Z_]+:(\?.+|-)\}$/)
      }
    }
  })

  it('names only volumes that it declares, and waits for stores that have a health check', () => {
    for (const service of Object.values(compose.services)) {
      for (const volume of service.volumes) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0])
      for (const name of Object.keys(service.depends_on))
        expect(compose.services[name]?.healthcheck?.test).toBeDefined()
    }
  })
})

describe('Dockerfile', () => {
  const text = read('Dockerfile')
  it('runs as a user of its own, has a health check and keeps its data in a volume', () => {
    expect(text).toMatch(/^USER cliptape$/m)
    expect(text).toMatch(/^HEALTHCHECK /m)
    expect(text).toMatch(/^VOLUME \["\/data"\]$/m)
    expect(text).toMatch(/CLIPTAPE_HOME=\/data/)
  })

  it('copies nothing into the image that holds secrets or data', () => {
    const ignored = read('.dockerignore').split('\n')
    for (const name of ['.git', '.env', '.cliptape', 'node_modules']) expect(ignored).toContain(name)
  })
})

describe('package-lock.json', () => {
  it('lists the packages of every platform, so that npm ci accepts it everywhere', () => {
    const lock = z
      .object({
        packages: z.record(
          z.string(),
          z.looseObject({ optionalDependencies: z.record(z.string(), z.string()).default({}) }),
        ),
      })
      .parse(JSON.parse(read('package-lock.json')))
    const names = new Set(Object.keys(lock.packages).map(path => path.split('node_modules/').at(-1)))
    const absent = Object.values(lock.packages).flatMap(entry =>
      Object.keys(entry.optionalDependencies).filter(name => !names.has(name)),
    )
    expect(absent).toEqual([])
  })
})
