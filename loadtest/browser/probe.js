// Runs in every page before its own scripts: keeps hold of the peer connections and notes when
// frames were decoded and whose they are, without asking the product's code.
(() => {
  const probe = { connections: [], cameras: 0, frames: [], taps: [], offers: 0, colours: true };
  window.__probe = probe;

  const Native = window.RTCPeerConnection;
  if (Native) {
    window.RTCPeerConnection = class extends Native {
      constructor(...args) {
        super(...args);
        probe.connections.push(this);
      }
      createOffer(...args) {
        probe.offers += 1;
        return super.createOffer(...args);
      }
    };
  }
  const media = navigator.mediaDevices;
  if (media) {
    const open = media.getUserMedia.bind(media);
    media.getUserMedia = (constraints) => {
      if (constraints && constraints.video) probe.cameras += 1;
      return open(constraints);
    };
  }

  addEventListener(
    'click',
    (event) => {
      const marked = event.target instanceof Element && event.target.closest('[data-testid]');
      if (marked) {
        const at = performance.timeOrigin + event.timeStamp;
        probe.taps.push({ testid: marked.getAttribute('data-testid'), at_ms: at });
      }
    },
    { capture: true },
  );

  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d', { willReadFrequently: true });
  // The top left corner of the picture is the wall behind the person: see clips.py.
  probe.corner = (video) => {
    if (!video.videoWidth) return null;
    const side = Math.max(1, video.videoHeight / 10);
    pen.drawImage(video, side, side, side, side, 0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const watched = new WeakSet();
  const watch = (video) => {
    if (watched.has(video) || !video.requestVideoFrameCallback) return;
    watched.add(video);
    const onFrame = (now, details) => {
      const tile = video.closest('[data-testid=tile]');
      if (tile && probe.frames.length < 20000) {
        probe.frames.push({
          at_ms: performance.timeOrigin + now,
          width: details.width,
          height: details.height,
          rgb: probe.colours ? probe.corner(video) : null,
          participant: tile.getAttribute('data-participant'),
        });
      }
      video.requestVideoFrameCallback(onFrame);
    };
    video.requestVideoFrameCallback(onFrame);
  };
  new MutationObserver(() => document.querySelectorAll('video').forEach(watch)).observe(document, {
    childList: true,
    subtree: true,
  });

  probe.totals = async () => {
    const totals = { audio_energy: 0, audio_packets: 0, frames_sent: 0, packets_sent: 0, frames_decoded: 0, layers: {}, connected: 0 };
    for (const connection of probe.connections) {
      if (connection.connectionState === 'connected') totals.connected += 1;
      for (const report of (await connection.getStats()).values()) {
        if (report.type === 'inbound-rtp' && report.kind === 'audio') {
          totals.audio_energy += report.totalAudioEnergy || 0;
          totals.audio_packets += report.packetsReceived || 0;
        } else if (report.type === 'inbound-rtp') {
          totals.frames_decoded += report.framesDecoded || 0;
        } else if (report.type === 'outbound-rtp') {
          totals.packets_sent += report.packetsSent || 0;
          if (report.kind === 'video') {
            totals.frames_sent += report.framesSent || 0;
            totals.layers[report.rid || ''] = report.framesSent || 0;
          }
        }
      }
    }
    return totals;
  };

  // The loudest pitch of what a tile plays, in hertz, over a quarter of a second.
  probe.pitch = async (tile) => {
    const element = [...tile.querySelectorAll('video, audio'), ...document.querySelectorAll('audio')].find(
      (candidate) => candidate.srcObject && candidate.srcObject.getAudioTracks().length,
    );
    if (!element) return null;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 16384;
    context.createMediaStreamSource(new MediaStream(element.srcObject.getAudioTracks())).connect(analyser);
    const bins = new Float32Array(analyser.frequencyBinCount);
    const loudest = new Float32Array(bins.length).fill(-Infinity);
    for (let turn = 0; turn < 8; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      analyser.getFloatFrequencyData(bins);
      bins.forEach((level, index) => { if (level > loudest[index]) loudest[index] = level; });
    }
    const width = context.sampleRate / analyser.fftSize;
    await context.close();
    let best = Math.ceil(120 / width);
    for (let index = best; index * width < 900; index += 1) if (loudest[index] > loudest[best]) best = index;
    return loudest[best] > -90 ? best * width : null;
  };
})();
