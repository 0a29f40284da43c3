// Runs in a page before its own scripts, where a browser cannot play a file as its camera: a
// picture as clips.py draws it, and the same voice, take the place of the devices.
(person) => {
  const media = navigator.mediaDevices;
  if (!media) return;
  const WIDTH = 640;
  const HEIGHT = 360;
  const FRAMES_PER_SECOND = 15;

  const colour = (rgb) => `rgb(${rgb.join(' ')})`;

  const paint = (pen, number) => {
    const unit = HEIGHT / 10;
    const middle = WIDTH / 2;
    const ellipse = (x, y, width, height, rgb) => {
      pen.fillStyle = colour(rgb);
      pen.beginPath();
      pen.ellipse(x, y, width, height, 0, 0, 2 * Math.PI);
      pen.fill();
    };
    pen.fillStyle = colour(person.wall);
    pen.fillRect(0, 0, WIDTH, HEIGHT);
    ellipse(middle, 11 * unit, 2.9 * unit, 3.4 * unit, person.shirt);
    ellipse(middle, 3.9 * unit, 1.75 * unit, 2.1 * unit, [46, 36, 32]);
    ellipse(middle, 4.5 * unit, 1.5 * unit, 1.95 * unit, [226, 184, 152]);
    const opening = 0.12 + 0.16 * Math.abs(Math.sin(number / 2.4));
    ellipse(middle, 5.5 * unit, 0.45 * unit, opening * unit, [150, 70, 70]);
    pen.fillStyle = colour([245, 245, 245]);
    pen.fillRect((number * 16) % (WIDTH * 0.75), HEIGHT - 12, WIDTH / 5, 8);
  };

  const camera = () => {
    const canvas = document.createElement('canvas');
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
    const pen = canvas.getContext('2d');
    const [track] = canvas.captureStream(FRAMES_PER_SECOND).getVideoTracks();
    let number = 0;
    paint(pen, number);
    const painting = setInterval(() => {
      number += 1;
      paint(pen, number);
      if (track.readyState === 'ended') clearInterval(painting);
    }, 1000 / FRAMES_PER_SECOND);
    return track;
  };

  const microphone = () => {
    const context = new AudioContext();
    const voice = context.createOscillator();
    const harmonics = new Float32Array([0, 1, 1 / 2, 1 / 3]);
    voice.setPeriodicWave(context.createPeriodicWave(new Float32Array(4), harmonics));
    voice.frequency.value = person.pitch_hz;
    const syllables = context.createOscillator();
    syllables.frequency.value = 3.5;
    const depth = context.createGain();
    depth.gain.value = 0.15;
    const loudness = context.createGain();
    loudness.gain.value = 0.15;
    const sink = context.createMediaStreamDestination();
    syllables.connect(depth).connect(loudness.gain);
    voice.connect(loudness).connect(sink);
    voice.start();
    syllables.start();
    return sink.stream.getAudioTracks()[0];
  };

  media.getUserMedia = async ({ audio, video }) =>
    new MediaStream([...(audio ? [microphone()] : []), ...(video ? [camera()] : [])]);
}
