import { expect, it } from 'vitest'
import { hostileTitles } from '../../platforms/sandbox/wording.ts'
import { unknownPost } from '../../platforms/unknown-post.ts'
import { checkItems } from '../check.ts'
import { postItems } from './reading-items.ts'

it.each([...hostileTitles, '👨‍👩‍👧‍👦'.repeat(2_500), 'مرحبا '.repeat(2_000), `a${'👍'.repeat(1_000)}`])(
  'keeps the numbers of a post whatever its title is (%#)',
  title => {
    const post = {
      ...unknownPost,
      platform: 'youtube' as const,
      videoId: 'dQw4w9WgXcQ',
      creatorId: 'UC1',
      url: `https://www.youtube.com/watch?v=${'x'.repeat(10_000)}`,
      observedAtMs: Date.parse('2026-11-21T12:00:00Z'),
      endpoint: 'videos.list',
      views: 1n,
      title,
      tags: [title, title],
    }
    const items = postItems(post, 'youtube-api')
    expect(checkItems(items)).toBeNull()
    const [video, sample] = items
    expect(sample).toMatchObject({ kind: 'sample', row: { views: 1n } })
    const kept = video?.kind === 'video' ? video.row.title : ''
    expect(title.startsWith(kept)).toBe(true)
    expect(kept.isWellFormed()).toBe(true)
  },
)
