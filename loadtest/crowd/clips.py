"""Encoded clips for virtual users, made once and kept: real VP8, H264 and Opus, cut into packets.

The pictures and the voice are those of the browser tests (`loadtest.browser.clips`), the picture
with a camera's grain, so that an encoder spends the bitrate that it is given. A clip begins with
its only keyframe: whoever is asked for one begins anew.

A file holds magic, version, codec, two bytes of nothing, clock rate, ticks a frame and the number
of frames; then of each frame its flags (1: keyframe), its number of packets and each packet's RTP
payload with its length before it; all in network order. VP8 payloads have no descriptor yet.
"""

import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
from aiortc.codecs.h264 import H264Encoder

from loadtest.browser.clips import CLIP_SECONDS, PEOPLE, Camera, write_camera, write_microphone

FOLDER = Path(__file__).parents[2] / "target" / "clips"

Codec = Literal["opus", "vp8", "h264"]

_MAGIC, _VERSION = b"MCLP", 1
_NUMBERS: dict[Codec, int] = {"opus": 0, "vp8": 1, "h264": 2}
_LOOPS = 5
"""Of the drawn clip, which lasts `CLIP_SECONDS`."""

_VP8_PACKET_BYTES = 1100
_OPUS_BPS = 32_000
_OPUS_TICKS = 960
_OPUS_CLOCK = 48_000
_VIDEO_CLOCK = 90_000
_NEVER = "9999"

_OPTIONS: dict[Codec, dict[str, str]] = {
    # As a browser's encoder in real time: one pass, nothing looked ahead at.
    "vp8": {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": _NEVER},
    "h264": {
        "preset": "veryfast",
        "tune": "zerolatency",
        "profile": "baseline",
        "g": _NEVER,
        "sc_threshold": "0",
    },
    "opus": {"application": "voip", "frame_duration": "20"},
}
_ENCODERS: dict[Codec, str] = {"vp8": "libvpx", "h264": "libx264", "opus": "libopus"}


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera's or a layer's size and rate."""

    codec: Literal["vp8", "h264"]
    height: int
    frames_per_second: int
    kbps: int

    @property
    def width(self) -> int:
        """Of 16:9, even."""
        return self.height * 16 // 9 & ~1


@dataclass(frozen=True, slots=True)
class _Frame:
    is_key: bool
    packets: list[bytes]


def sound(folder: Path = FOLDER) -> Path:
    """The clip of a voice: Opus in packets of 20 ms."""
    path = folder / "opus.clip"
    if not path.exists():
        with tempfile.TemporaryDirectory(prefix="mianshi-clips-") as temporary:
            wave = write_microphone(Path(temporary) / "voice.wav", PEOPLE[0])
            frames = [
                _Frame(True, [bytes(packet)])
                for _ in range(_LOOPS)
                for packet in _encoded_sound(wave)
            ]
        _write(path, "opus", _OPUS_CLOCK, _OPUS_TICKS, frames)
    return path


def picture(what: Picture, folder: Path = FOLDER) -> Path:
    """The clip of a camera."""
    size = f"{what.codec}-{what.height}p{what.frames_per_second}-{what.kbps}k"
    path = folder / f"{size}.clip"
    if not path.exists():
        camera = Camera(what.width, what.height, what.frames_per_second, grain=True)
        with tempfile.TemporaryDirectory(prefix="mianshi-clips-") as temporary:
            drawn = write_camera(Path(temporary) / "camera.y4m", PEOPLE[0], camera)
            frames = list(_encoded_pictures(drawn, what))
        ticks = _VIDEO_CLOCK // what.frames_per_second
        _write(path, what.codec, _VIDEO_CLOCK, ticks, frames)
    return path


def _encoded_sound(wave: Path) -> Iterator[Any]:
    with av.open(str(wave)) as source:
        encoder = _encoder("opus", _OPUS_BPS)
        encoder.sample_rate = _OPUS_CLOCK
        encoder.layout = "mono"
        encoder.format = "s16"
        resampler = av.AudioResampler("s16", "mono", _OPUS_CLOCK, frame_size=_OPUS_TICKS)
        for frame in source.decode(audio=0):
            for cut in resampler.resample(frame):
                if cut.samples == _OPUS_TICKS:
                    yield from encoder.encode(cut)


def _encoded_pictures(drawn: Path, what: Picture) -> Iterator[_Frame]:
    packetizer = H264Encoder()
    encoder = _encoder(what.codec, what.kbps * 1000)
    encoder.width, encoder.height, encoder.pix_fmt = what.width, what.height, "yuv420p"
    encoder.framerate = what.frames_per_second
    encoder.time_base = Fraction(1, what.frames_per_second)
    count = 0
    for _ in range(_LOOPS):
        with av.open(str(drawn)) as source:
            for drawn_frame in source.decode(video=0):
                frame = drawn_frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = count, encoder.time_base
                frame.pict_type = 0
                count += 1
                for packet in encoder.encode(frame):
                    yield _Frame(packet.is_keyframe, _packets(what, packet, packetizer))


def _packets(what: Picture, packet: "av.Packet[Any]", packetizer: H264Encoder) -> list[bytes]:
    if what.codec == "h264":
        payloads, _ = packetizer.pack(packet)
        return list(payloads)
    whole = bytes(packet)
    return [
        whole[start : start + _VP8_PACKET_BYTES]
        for start in range(0, len(whole), _VP8_PACKET_BYTES)
    ]


def _encoder(codec: Codec, bps: int) -> Any:  # noqa: ANN401 (of audio and of video)
    encoder: Any = av.CodecContext.create(_ENCODERS[codec], "w")
    encoder.bit_rate = bps
    encoder.options = dict(_OPTIONS[codec])
    if codec != "opus":
        # Peaks as small as a real-time encoder makes them: half a second of the rate.
        encoder.options |= {"maxrate": str(bps), "bufsize": str(bps // 2)}
    return encoder


def _write(path: Path, codec: Codec, clock: int, ticks: int, frames: list[_Frame]) -> None:
    """Beside its place first: another process may want the same clip."""
    assert frames and frames[0].is_key, "encoders begin with a keyframe"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">4sBBHIII", _MAGIC, _VERSION, _NUMBERS[codec], 0, clock, ticks, len(frames))
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(head)
        for frame in frames:
            file.write(struct.pack(">BH", frame.is_key, len(frame.packets)))
            for packet in frame.packets:
                file.write(struct.pack(">H", len(packet)) + packet)
    Path(file.name).replace(path)


CLIP_LASTS_S = CLIP_SECONDS * _LOOPS
