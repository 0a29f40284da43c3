// Called in a page before its own scripts, where a browser cannot play a file as its camera and
// has no screen: a picture as clips.py draws it, the same voice and a slide stand in for them.
(person, camera) => {
  const media = navigator.mediaDevices;
  if (!media) return;
  const FRAMES_PER_SECOND = 15;
  const HAIR = [46, 36, 32];
  const SKIN = [226, 184, 152];
  const MOUTH = [150, 70, 70];
  const WHITE = [245, 245, 245];

  const filled = (pen, rgb) => {
    pen.fillStyle = `rgb(${rgb.join(' ')})`;
    return pen;
  };

  const portrait = (pen, width, height, number) => {
    const unit = height / 10;
    const ellipse = (y, across, down, rgb) => {
      pen.beginPath();
      pen.ellipse(width / 2, y * unit, across * unit, down * unit, 0, 0, 2 * Math.PI);
      filled(pen, rgb).fill();
    };
    filled(pen, person.wall).fillRect(0, 0, width, height);
    ellipse(11, 2.9, 3.4, person.shirt);
    filled(pen, SKIN).fillRect(width / 2 - unit / 2, 6.2 * unit, unit, 1.4 * unit);
    ellipse(3.9, 1.75, 2.1, HAIR);
    ellipse(4.5, 1.5, 1.95, SKIN);
    ellipse(5.5, 0.45, 0.12 + 0.16 * Math.abs(Math.sin(number / 2.4)), MOUTH);
    filled(pen, WHITE).fillRect((number * 16) % (width * 0.75), height - 12, width / 5, 8);
  };

  const slide = (pen, width, height, number) => {
    filled(pen, WHITE).fillRect(0, 0, width, height);
    pen.font = `${height / 4}px sans-serif`;
    filled(pen, HAIR).fillText(String(number), width / 10, height / 2);
  };

  /** A video track of what `paint` draws, until the track is stopped. */
  const painted = (width, height, paint) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const pen = canvas.getContext('2d');
    const [track] = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks();
    let number = 0;
    const draw = () => {
      paint(pen, width, height, number);
      number += 1;
      if (track.readyState === 'ended') clearInterval(drawing);
    };
    const drawing = setInterval(draw, 1000 / FRAMES_PER_SECOND);
    draw();
    return track;
  };

  /** Three harmonics at the person's pitch, swelling and fading as syllables do. */
  const voice = () => {
    const context = new AudioContext();
    const tone = new OscillatorNode(context, {
      frequency: person.pitch_hz,
      periodicWave: new PeriodicWave(context, { imag: [0, 1, 1 / 2, 1 / 3] }),
    });
    const syllables = new OscillatorNode(context, { frequency: 3.5 });
    const loudness = new GainNode(context, { gain: 0.15 });
    const sink = new MediaStreamAudioDestinationNode(context);
    syllables.connect(new GainNode(context, { gain: 0.15 })).connect(loudness.gain);
    tone.connect(loudness).connect(sink);
    tone.start();
    syllables.start();
    return sink.stream.getAudioTracks()[0];
  };

  media.getUserMedia = async ({ audio, video }) => {
    const tracks = [audio && voice(), video && painted(...camera, portrait)];
    return new MediaStream(tracks.filter(Boolean));
  };
  media.getDisplayMedia = async () => new MediaStream([painted(1280, 720, slide)]);
}
