/** As much as is looked at to tell a kind of file. */
export const magicBytes = 4096
/** Fewer say nothing. */
export const magicBytesMin = 12

const tsPacketBytes = 188

/**
 * Whether a file begins like one of the kinds that media is read from: MP4, MOV, Matroska, WebM, MPEG-TS, WAV, MP3, AAC,
 * FLAC, Ogg. It keeps out texts, archives and programs; whether it can be read is for its probe.
 * @param head the first bytes, at least `magicBytesMin`
 */
export function beginsLikeMedia(head: Buffer): boolean {
  const at = (offset: number, text: string) => head.subarray(offset, offset + text.length).toString('latin1') === text
  const isMp4 = ['ftyp', 'moov', 'mdat', 'free', 'skip', 'wide', 'styp'].some(box => at(4, box))
  const isMatroska = head.readUInt32BE(0) === 0x1a45dfa3
  const isTs = head[0] === 0x47 && (head.length <= tsPacketBytes || head[tsPacketBytes] === 0x47)
  const isWave = at(0, 'RIFF') && at(8, 'WAVE')
  // An MPEG audio frame: eleven set bits, and a version that exists.
  const isMpegAudio =
    at(0, 'ID3') || (head[0] === 0xff && ((head[1] ?? 0) & 0xe0) === 0xe0 && ((head[1] ?? 0) & 0x18) !== 0x08)
  return isMp4 || isMatroska || isTs || isWave || isMpegAudio || at(0, 'fLaC') || at(0, 'OggS')
}
