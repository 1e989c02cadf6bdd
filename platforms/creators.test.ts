import { expect, it } from 'vitest'
import { parseInstagramCreator } from './instagram/creator.ts'
import type { CreatorRef } from './port.ts'
import { parseTiktokCreator } from './tiktok/creator.ts'
import { parseYoutubeCreator } from './youtube/creator.ts'

const channel = 'UCX6OQ3DkcsbYNE6H8uQQuVA'
const openId = '723f24d7-e717-40f8-a2b6-cb8464cd23b4'

const id = (value: string): CreatorRef => ({ by: 'id', value })
const handle = (value: string): CreatorRef => ({ by: 'handle', value })
const username = (value: string): CreatorRef => ({ by: 'username', value })

it.each<[string, CreatorRef | null]>([
  [channel, id(channel)],
  [`youtube:${channel}`, id(channel)],
  [` https://www.youtube.com/channel/${channel}/videos?x=1 `, id(channel)],
  ['@MrBeast', handle('MrBeast')],
  ['MrBeast', handle('MrBeast')],
  ['youtube.com/@MrBeast', handle('MrBeast')],
  ['https://m.youtube.com/@MrBeast/shorts', handle('MrBeast')],
  ['https://music.youtube.com/channel/UCX6OQ3DkcsbYNE6H8uQQuVA', id(channel)],
  ['https://www.youtube.com/@%E6%97%A5%E6%9C%AC', handle('日本')],
  ['https://www.youtube.com/user/PewDiePie', username('PewDiePie')],
  ['https://www.youtube.com/c/MrBeast6000', handle('MrBeast6000')],
  ['https://www.youtube.com/channel/UCshort', null],
  ['https://www.youtube.com/watch?v=dQw4w9WgXcQ', null],
  ['https://youtu.be/dQw4w9WgXcQ', null],
  ['https://youtube.com.evil.example/@MrBeast', null],
  ['https://www.tiktok.com/@mrbeast', null],
  ['https://www.youtube.com/%E0%A4%A', null],
  ['two words', null],
  ['@a\u001b[2J', null],
  ['', null],
  ['@', null],
  ['x'.repeat(600), null],
])('reads the YouTube channel of %s', (text, expected) => expect(parseYoutubeCreator(text)).toEqual(expected))

it.each<[string, CreatorRef | null]>([
  ['@MrBeast', username('mrbeast')],
  ['khaby.lame', username('khaby.lame')],
  ['https://www.tiktok.com/@khaby.lame?lang=de', username('khaby.lame')],
  ['tiktok.com/@khaby.lame/video/7312345678901234567', username('khaby.lame')],
  ['https://m.tiktok.com/@khaby.lame', username('khaby.lame')],
  [openId, id(openId)],
  ['https://vm.tiktok.com/ZMabc/', null],
  ['https://www.tiktok.com/tag/fyp', null],
  ['https://www.instagram.com/khaby', null],
  ['a name', null],
])('reads the TikTok user of %s', (text, expected) => expect(parseTiktokCreator(text)).toEqual(expected))

it.each<[string, CreatorRef | null]>([
  ['@Nasa', username('nasa')],
  ['nasa', username('nasa')],
  ['17841405793187218', id('17841405793187218')],
  ['https://www.instagram.com/nasa/', username('nasa')],
  ['instagram.com/nasa/reels/', username('nasa')],
  ['https://instagr.am/nasa', username('nasa')],
  ['https://www.instagram.com/stories/nasa/123/', username('nasa')],
  ['https://www.instagram.com/stories/highlights/123/', null],
  ['https://www.instagram.com/p/Cabc123/', null],
  ['https://www.instagram.com/reel/Cabc123/', null],
  ['https://www.instagram.com/explore/tags/x/', null],
  ['https://www.instagram.com/', null],
  ['na,sa){id', null],
])('reads the Instagram account of %s', (text, expected) => expect(parseInstagramCreator(text)).toEqual(expected))
