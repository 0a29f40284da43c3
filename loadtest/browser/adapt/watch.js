// Notes what a page receives and sends, ten times a second, and when it asks for other pictures.
() => {
  const now = () => performance.timeOrigin + performance.now();
  const watch = { samples: [], wishes: [], estimates: [] };
  window.__watch = watch;
  __probe.colours = false;
  __probe.frames.length = 0;

  // The server tells what it believes that a downlink carries.
  const heard = ({ data }) => {
    const start = typeof data === 'string' ? data.indexOf('["quality.changed"') : -1;
    if (start < 0) return;
    const { participant, facts } = JSON.parse(data.slice(start))[1];
    watch.estimates.push({ at_ms: now(), participant, bps: facts.estimate_bps });
  };
  const sockets = new WeakSet();
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    if (!sockets.has(this)) {
      sockets.add(this);
      this.addEventListener('message', heard);
    }
    if (typeof data === 'string' && /"(slots\.sizes|video\.limit)"/.test(data)) {
      watch.wishes.push({ at_ms: now(), text: data.slice(0, 400) });
    }
    return send.call(this, data);
  };

  const read = async () => {
    const sample = { at_ms: now(), video: null, sound: null, sent: {}, sent_bytes: 0, limited: null };
    for (const connection of __probe.connections.slice(-1)) {
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.packetsReceived) {
          const kind = report.kind === 'video' ? 'video' : 'sound';
          const best = sample[kind];
          if (!best || report.packetsReceived > best.packets) {
            sample[kind] = {
              packets: report.packetsReceived,
              lost: report.packetsLost,
              bytes: report.bytesReceived,
              height: report.frameHeight || 0,
              frames: report.framesDecoded || 0,
              fps: report.framesPerSecond || 0,
              freezes: report.freezeCount || 0,
              frozen_s: report.totalFreezesDuration || 0,
              samples: report.totalSamplesReceived || 0,
              concealed: (report.concealedSamples || 0) - (report.silentConcealedSamples || 0),
              concealed_in_silence: report.silentConcealedSamples || 0,
            };
          }
        } else if (report.type === 'outbound-rtp') {
          sample.sent_bytes += report.bytesSent || 0;
          if (report.kind === 'video') {
            sample.sent[report.rid || ''] = {
              bytes: report.bytesSent || 0,
              height: report.frameHeight || 0,
              fps: report.framesPerSecond || 0,
              active: report.active !== false,
            };
            if (report.qualityLimitationReason) sample.limited = report.qualityLimitationReason;
          }
        }
      }
    }
    watch.samples.push(sample);
  };
  setInterval(() => void read().catch(() => {}), 100);
}
