import { AppError } from '../../../contracts/errors.ts'
import type { SavedQueries } from './read-rule.ts'

/** Saved queries as alerts read them. */
export const savedQueries: SavedQueries = {
  async run() {
    throw new AppError('NOT_FOUND', 'There is no saved query by that id.')
  },
  async hasInstant() {
    return false
  },
}
