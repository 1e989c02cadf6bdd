/**
 * Numbers for Prometheus, in its text format. Small enough to be ours: counters, gauges that are read when asked, and
 * histograms with fixed buckets. Names are `cliptape_…` with the unit last, as Prometheus wants them.
 */
export interface Metrics {
  counter(name: string, help: string): Counter
  /**
   * A number that something else keeps: `read` is called for each scrape and returns one value, or one per set of
   * labels. A name that ends in `_total` is told to Prometheus as a counter.
   */
  gauge(name: string, help: string, read: () => number | { labels: Labels; value: number }[]): void
  /** `bounds` are upper bounds in ascending order, in the unit of the name. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram
  /** The exposition text, version 0.0.4. */
  render(): string
}

export type Labels = Readonly<Record<string, string>>
export interface Counter {
  add(by?: number, labels?: Labels): void
}
export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/** Label sets kept per metric; further ones are added up under `other`, so that no caller can make memory grow. */
const seriesMax = 500

export function createMetrics(): Metrics {
  const families = new Map<string, () => string[]>()
  const register = (name: string, help: string, type: string, lines: () => string[]) => {
    if (families.has(name)) throw new Error(`The metric ${name} is registered twice.`)
    families.set(name, () => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines()])
  }
  return {
    counter(name, help) {
      const series = new Map<string, number>()
      register(name, help, 'counter', () => [...series].map(([labels, value]) => `${name}${braced(labels)} ${value}`))
      return {
        add(by = 1, labels = {}) {
          const key = seriesKey(series, labels)
          series.set(key, (series.get(key) ?? 0) + by)
        },
      }
    },
    gauge(name, help, read) {
      register(name, help, name.endsWith('_total') ? 'counter' : 'gauge', () => {
        const found = read()
        const values = typeof found === 'number' ? [{ labels: {}, value: found }] : found
        return values.map(one => `${name}${braced(labelText(one.labels))} ${one.value}`)
      })
    },
    histogram(name, help, bounds) {
      const series = new Map<string, { counts: number[]; sum: number; count: number }>()
      register(name, help, 'histogram', () =>
        [...series].flatMap(([labels, { counts, sum, count }]) => [
          ...bounds.map((bound, at) => `${name}_bucket${braced(labels, `le="${bound}"`)} ${counts[at] ?? 0}`),
          `${name}_bucket${braced(labels, 'le="+Inf"')} ${count}`,
          `${name}_sum${braced(labels)} ${sum}`,
          `${name}_count${braced(labels)} ${count}`,
        ]),
      )
      return {
        observe(value, labels = {}) {
          const key = seriesKey(series, labels)
          const one = series.get(key) ?? { counts: bounds.map(() => 0), sum: 0, count: 0 }
          series.set(key, one)
          one.sum += value
          one.count += 1
          bounds.forEach((bound, at) => {
            if (value <= bound) one.counts[at] = (one.counts[at] ?? 0) + 1
          })
        },
      }
    },
    render: () => `${[...families.values()].flatMap(lines => lines()).join('\n')}\n`,
  }
}

function seriesKey(series: ReadonlyMap<string, unknown>, labels: Labels): string {
  const key = labelText(labels)
  if (series.has(key) || series.size < seriesMax) return key
  return labelText(Object.fromEntries(Object.keys(labels).map(name => [name, 'other'])))
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, found => (found === '\n' ? '\\n' : `\\${found}`))}"`)
    .join(',')
}

function braced(...labels: string[]): string {
  const text = labels.filter(label => label !== '').join(',')
  return text === '' ? '' : `{${text}}`
}
