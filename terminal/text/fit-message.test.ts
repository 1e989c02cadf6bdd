import { expect, test } from 'vitest'
import { fitMessage } from './fit-message.ts'

const folder = '/home/me/work/clips/of/this/year/and/the/one/before'

test('leaves out the middle of a path, so that what the file is called can be read', () => {
  const text = `Saved 120 rows to ${folder}/cliptape-top-20171114T063000Z.csv`
  expect(fitMessage(text, 79, '…')).toBe(
    'Saved 120 rows to /home/me/work/clips/of/thi…/cliptape-top-20171114T063000Z.csv',
  )
  expect(fitMessage(text, 60, '…')).toBe('Saved 120 rows to /home/m…/cliptape-top-20171114T063000Z.csv')
  expect(fitMessage(text, 48, '…')).toBe('Saved 120 rows to /home/…op-20171114T063000Z.csv')
  expect(fitMessage(text, 200, '…')).toBe(text)
})

test('leaves out the end of any other sentence, and of one whose path would be nothing but its ends', () => {
  expect(fitMessage('There is nothing to copy here.', 20, '…')).toBe('There is nothing to…')
  expect(fitMessage('Saved 3 rows to /tmp/top.csv and then some more', 20, '…')).toBe('Saved 3 rows to /tm…')
})

test('counts cells, not characters', () => {
  expect(fitMessage(`Saved 1 row to ${folder}/猫の動画まとめ.csv`, 50, '…')).toBe(
    'Saved 1 row to /home/me/work/c…/猫の動画まとめ.csv',
  )
})
