import { describe, expect, it } from 'vitest'
import { createMetrics } from './registry.ts'

describe('metrics', () => {
  it('are written in the text format of Prometheus', () => {
    const metrics = createMetrics()
    const asked = metrics.counter('asked_total', 'Questions.')
    asked.add()
    asked.add(2, { route: '/a"b\\c\n' })
    metrics.gauge('open', 'Open now.', () => 3)
    metrics.gauge('done_total', 'Done.', () => [{ labels: { kind: 'x' }, value: 4 }])
    const seconds = metrics.histogram('took_seconds', 'Time.', [0.1, 1])
    seconds.observe(0.5)
    seconds.observe(5)
    expect(metrics.render()).toBe(`# HELP asked_total Questions.
# TYPE asked_total counter
asked_total 1
asked_total{route="/a\\"b\\\\c\\n"} 2
# HELP open Open now.
# TYPE open gauge
open 3
# HELP done_total Done.
# TYPE done_total counter
done_total{kind="x"} 4
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{le="0.1"} 0
took_seconds_bucket{le="1"} 1
took_seconds_bucket{le="+Inf"} 2
took_seconds_sum 5.5
took_seconds_count 2
`)
  })

  it('refuse a name twice, and keep the number of label sets bounded', () => {
    const metrics = createMetrics()
    const counter = metrics.counter('c', 'C.')
    expect(() => metrics.gauge('c', 'C.', () => 1)).toThrow('registered twice')
    for (let n = 0; n < 2000; n += 1) counter.add(1, { id: String(n) })
    const lines = metrics.render().split('\n')
    expect(lines.length).toBeLessThan(510)
    expect(lines).toContain('c{id="other"} 1500')
  })
})
