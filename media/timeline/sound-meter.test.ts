import { describe, expect, it } from 'vitest'
import { meteredRateHz, soundMeter } from './sound-meter.ts'

/** A tone whose greatest sample is `amplitude`. */
function tone(hz: number, amplitude: number, sec: number): Int16Array {
  return Int16Array.from({ length: sec * meteredRateHz }, (_, at) =>
    Math.round(amplitude * Math.sin((2 * Math.PI * hz * at) / meteredRateHz)),
  )
}

function measured(...parts: Int16Array[]) {
  const meter = soundMeter()
  for (const part of parts) meter.push(part)
  return meter.finish()
}

describe('levels of sound', () => {
  it('are the RMS of each tenth of a second against full scale', () => {
    const { dbfs } = measured(tone(1000, 32_767, 0.2), tone(1000, 3276.7, 0.2), new Int16Array(800))
    expect(dbfs).toEqual([-3, -3, -23, -23, -100])
  })

  it('do not depend on how the sound was cut into chunks, and count a last part of a step', () => {
    const whole = tone(440, 9000, 1.25)
    const chunks = [whole.subarray(0, 1), whole.subarray(1, 802), whole.subarray(802, 5000), whole.subarray(5000)]
    const { dbfs, speech, waveform } = measured(...chunks)
    const once = measured(whole)
    expect(dbfs).toEqual(once.dbfs)
    expect(speech).toEqual(once.speech)
    expect(waveform.finish()).toEqual(once.waveform.finish())
    expect([dbfs.length, speech.length]).toEqual([13, 2])
  })

  it('tell a voice from a hum by the band that the power is in', () => {
    const { speech } = measured(tone(1000, 9000, 1), tone(60, 9000, 1), new Int16Array(meteredRateHz))
    expect(speech[0]).toBeGreaterThan(0.9)
    expect(speech[1]).toBeLessThan(0.05)
    expect(speech[2]).toBeLessThan(0.05)
  })
})
