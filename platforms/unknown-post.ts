import type { PostReading } from './port.ts'

/** A post of which nothing is known; spread and fill in what the platform gives. */
export const unknownPost = {
  creatorName: '',
  isPublic: true,
  product: '',
  refusedMetrics: [],
  kind: 'clip',
  title: '',
  url: '',
  thumbnailUrl: '',
  publishedAtMs: null,
  endedAtMs: null,
  durationSeconds: null,
  category: '',
  tags: [],
  views: null,
  likes: null,
  comments: null,
  shares: null,
  saves: null,
  odd: [],
} satisfies Partial<PostReading>
