import type { Platform } from '../../contracts/ids.ts'
import { dlq, ok } from '../pipeline.ts'
import { cutText, ownText, parseShortCount } from '../values.ts'
import { badCount, type CsvFormat, columnReader } from './format.ts'

/** The set says only the year 2022: its last day is when the counts are certainly no newer. */
const observedAtMs = Date.UTC(2022, 11, 31)

/**
 * Accounts with shortened counters (`48.5M`), one table per platform. The column `Real name` holds the handle, and the
 * column of the platform's name holds the name. Averages per post are no counters and are left out.
 */
function influencers(platform: Platform, columns: { name: string; followers: string }): CsvFormat {
  const source = `import:influencers`
  return {
    id: `influencers-${platform}`,
    title: `Influencers of ${platform}, 2022 (Real name, ${columns.name}, ${columns.followers})`,
    source,
    container: 'csv',
    fixedColumns: null,
    matches: header => ['real name', columns.name, columns.followers].every(name => header.includes(name)),
    open(header) {
      const at = columnReader(header)
      const [handleOf, nameOf, followersOf] = [at('real name'), at(columns.name), at(columns.followers)]
      return fields => {
        const handle = ownText(handleOf(fields).trim()).replace(/^@/, '')
        if (handle === '' || handle.length > 270) return dlq('invalid_id', 'The record names no account.')
        const followers = parseShortCount(followersOf(fields))
        if (followers === undefined) return badCount(columns.followers)
        const common = { platform, creatorId: `@${handle.toLowerCase()}`, observedAtMs, source }
        const name = ownText(nameOf(fields).trim())
        return ok([
          { kind: 'creator', row: { ...common, name: cutText(name === '' ? handle : name, 500), handle } },
          {
            kind: 'creatorSample',
            row: {
              ...common,
              followers,
              views: null,
              videos: null,
              likes: null,
              endpoint: 'influencers-2022',
              definitionVersion: 1,
              expiresAtMs: null,
            },
          },
        ])
      }
    },
  }
}

export const influencersInstagram = influencers('instagram', { name: 'instagram name', followers: 'followers' })
export const influencersTiktok = influencers('tiktok', { name: 'tiktok name', followers: 'subscribers' })
export const influencersYoutube = influencers('youtube', { name: 'youtuber name', followers: 'subscribers' })
