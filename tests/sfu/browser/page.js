// A person with one colour as camera and one tone as microphone, who knows what every slot shows
// by looking at it. Driven by tests/sfu/browser/test_calls.py through window.person.
"use strict";

const LAYERS = [
  { rid: "q", scaleResolutionDownBy: 4 },
  { rid: "h", scaleResolutionDownBy: 2 },
  { rid: "f" },
];

function paintedCamera(colour, width, height) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  let step = 0;
  setInterval(() => {
    context.fillStyle = colour;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "white";
    context.fillRect((step++ * 16) % width, 0, 16, 16);
  }, 1000 / 15);
  return canvas.captureStream(15).getVideoTracks()[0];
}

function tone(hertz) {
  const audio = new AudioContext();
  const oscillator = audio.createOscillator();
  const output = audio.createMediaStreamDestination();
  oscillator.frequency.value = hertz;
  oscillator.connect(output);
  oscillator.start();
  return output.stream.getAudioTracks()[0];
}

class Person {
  constructor({ colour, hertz, width = 1280, height = 720, audio = 3, video = 4 }) {
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.videos = new Map();
    this.pc.ontrack = ({ track, transceiver }) => this.show(track, transceiver);
    this.microphone = this.pc.addTransceiver(tone(hertz), { direction: "sendonly" });
    this.camera = this.pc.addTransceiver(paintedCamera(colour, width, height), {
      direction: "sendonly",
      sendEncodings: LAYERS,
    });
    this.screen = this.pc.addTransceiver("video", { direction: "sendonly" });
    this.addSlots(audio, video);
  }

  addSlots(audio, video) {
    for (let n = 0; n < audio; n++) this.pc.addTransceiver("audio", { direction: "recvonly" });
    for (let n = 0; n < video; n++) this.pc.addTransceiver("video", { direction: "recvonly" });
  }

  show(track, transceiver) {
    const element = document.createElement(track.kind);
    element.autoplay = element.playsInline = true;
    element.srcObject = new MediaStream([track]);
    document.body.append(element);
    if (track.kind === "video") this.videos.set(transceiver.mid, element);
  }

  async negotiate(options) {
    const offer = await this.pc.createOffer(options);
    await this.pc.setLocalDescription(offer);
    const tracks = {
      [this.microphone.mid]: "microphone",
      [this.camera.mid]: "camera",
      [this.screen.mid]: "screen",
    };
    const answer = await post("/offer", { peer: this.peer ?? null, sdp: offer.sdp, tracks });
    if (answer.error) throw new Error(answer.error);
    this.peer = answer.peer;
    await this.pc.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    return this.peer;
  }

  shareScreen(colour) {
    return this.screen.sender.replaceTrack(paintedCamera(colour, 640, 360));
  }

  /** The colour in the middle of a slot's picture, as "red", "lime", "blue" or "". */
  colour(mid) {
    const video = this.videos.get(mid);
    if (!video || !video.videoWidth) return "";
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const context = canvas.getContext("2d");
    const [x, y] = [video.videoWidth / 2, video.videoHeight / 2];
    context.drawImage(video, x, y, 1, 1, 0, 0, 1, 1);
    const [r, g, b] = context.getImageData(0, 0, 1, 1).data;
    const strong = [r, g, b].map((value) => value > 128);
    return { "true,false,false": "red", "false,true,false": "lime", "false,false,true": "blue",
      "true,true,false": "yellow" }[strong] ?? "";
  }

  async inbound(mid) {
    for (const report of (await this.pc.getStats()).values())
      if (report.type === "inbound-rtp" && report.mid === mid) return report;
    return null;
  }

  async outbound() {
    const layers = {};
    for (const report of (await this.pc.getStats()).values())
      if (report.type === "outbound-rtp" && report.rid) layers[report.rid] = report.framesSent ?? 0;
    return layers;
  }
}

async function post(path, body) {
  const response = await fetch(path, { method: "POST", body: JSON.stringify(body) });
  return response.json();
}

window.enter = async (options) => {
  window.person = new Person(options);
  return window.person.negotiate();
};
