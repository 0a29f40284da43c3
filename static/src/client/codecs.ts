/** Which formats we would rather send than others. */

type Codec = { mimeType: string }

const RED = 'audio/red'
const OPUS = 'audio/opus'

/** RED (RFC 2198) first, then Opus, then what else the browser has; null without RED. */
export function redundantFirst<Each extends Codec>(codecs: readonly Each[]): Each[] | null {
  const rank = ({ mimeType }: Codec): number => [RED, OPUS].indexOf(mimeType.toLowerCase()) >>> 0
  if (!codecs.some(({ mimeType }) => mimeType.toLowerCase() === RED)) return null
  // `sort` is stable from Chrome 70 and Safari 10 on.
  return [...codecs].sort((one, other) => rank(one) - rank(other))
}

/**
 * Each packet of the voice then carries the one before as well: a lost one costs nothing audible.
 * A browser without RED, or one that refuses, sends plain Opus with its in-band FEC.
 */
export function preferRedundantAudio(transceiver: RTCRtpTransceiver): void {
  try {
    const codecs = redundantFirst(capabilities())
    if (codecs) transceiver.setCodecPreferences(codecs)
  } catch {
    // Firefox and Safari differ in which capabilities may be preferred.
  }
}

function capabilities(): RTCRtpCodec[] {
  return RTCRtpSender.getCapabilities('audio')?.codecs ?? []
}
