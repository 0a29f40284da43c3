"""Cameras and microphones for Chromium's fake devices, one recognisable person each.

A person's picture is a drawn head and shoulders before a wall of the person's own colour, so
that a test which looks at one decoded corner pixel knows whose picture it sees; the mouth and a
bar move from frame to frame. The voice is a harmonic sound with syllables (noise suppression
would take a steady tone away) at a pitch of its own.
"""

import math
import random
import struct
import wave
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FRAMES_PER_SECOND = 15
CLIP_SECONDS = 2
SAMPLE_RATE_HZ = 48_000


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to recognise by the wall's colour (RGB) and the voice's pitch."""

    key: str
    wall: tuple[int, int, int]
    shirt: tuple[int, int, int]
    pitch_hz: int


PEOPLE = (
    Person("blue", (70, 110, 190), (236, 228, 214), 220),
    Person("green", (70, 150, 90), (52, 58, 74), 330),
    Person("amber", (205, 150, 50), (86, 62, 110), 440),
    Person("plum", (150, 70, 140), (226, 226, 232), 550),
    Person("teal", (40, 150, 160), (120, 50, 50), 660),
)

_SKIN = (226, 184, 152)
_HAIR = (46, 36, 32)
_MOUTH = (150, 70, 70)
_BAR = (245, 245, 245)


def nearest_person(red: int, green: int, blue: int) -> Person | None:
    """Whose wall this pixel shows; None if it is nobody's (black, a placeholder)."""

    def distance(person: Person) -> int:
        return sum((a - b) ** 2 for a, b in zip(person.wall, (red, green, blue), strict=True))

    best = min(PEOPLE, key=distance)
    return best if distance(best) < 40 * 40 else None


def _yuv(rgb: tuple[int, int, int]) -> tuple[int, int, int]:
    """BT.601 limited range, as Y4M carries it."""
    red, green, blue = rgb
    return (
        round(16 + 0.257 * red + 0.504 * green + 0.098 * blue),
        round(128 - 0.148 * red - 0.291 * green + 0.439 * blue),
        round(128 + 0.439 * red - 0.368 * green - 0.071 * blue),
    )


def _ellipse_rows(
    centre: tuple[float, float], radii: tuple[float, float], width: int, height: int
) -> Iterator[tuple[int, int, int]]:
    """(row, first column, column after the last) of a filled ellipse, clipped to the picture."""
    (cx, cy), (rx, ry) = centre, radii
    for row in range(max(0, math.ceil(cy - ry)), min(height, math.floor(cy + ry) + 1)):
        half = rx * math.sqrt(max(0.0, 1 - ((row - cy) / ry) ** 2))
        first, last = max(0, round(cx - half)), min(width, round(cx + half))
        if first < last:
            yield row, first, last


class _Canvas:
    """A planar 4:2:0 picture."""

    def __init__(self, width: int, height: int, rgb: tuple[int, int, int]) -> None:
        luma, cb, cr = _yuv(rgb)
        self.width, self.height = width, height
        self.planes = (
            bytearray([luma]) * (width * height),
            bytearray([cb]) * (width * height // 4),
            bytearray([cr]) * (width * height // 4),
        )

    def ellipse(
        self,
        centre: tuple[float, float],
        radii: tuple[float, float],
        rgb: tuple[int, int, int],
    ) -> None:
        for plane, value, scale in zip(self.planes, _yuv(rgb), (1, 2, 2), strict=True):
            width, height = self.width // scale, self.height // scale
            scaled = (centre[0] / scale, centre[1] / scale), (radii[0] / scale, radii[1] / scale)
            for row, first, last in _ellipse_rows(*scaled, width, height):
                plane[row * width + first : row * width + last] = bytes([value]) * (last - first)

    def rectangle(self, x: int, y: int, width: int, height: int, rgb: tuple[int, int, int]) -> None:
        for plane, value, scale in zip(self.planes, _yuv(rgb), (1, 2, 2), strict=True):
            stride, run = self.width // scale, bytes([value]) * (width // scale)
            for row in range(y // scale, (y + height) // scale):
                start = row * stride + x // scale
                plane[start : start + len(run)] = run

    def grain(self, noise: tuple[bytes, bytes, bytes], offset: int) -> None:
        """Put noise over the right half, from a place in it that differs from frame to frame."""
        for plane, source, scale in zip(self.planes, noise, (1, 2, 2), strict=True):
            width, height = self.width // scale, self.height // scale
            run = width // 2
            for row in range(height):
                start, begin = row * width + width - run, offset // scale**2 + row * run
                plane[start : start + run] = source[begin : begin + run]

    def copy(self) -> "_Canvas":
        other = object.__new__(_Canvas)
        other.width, other.height = self.width, self.height
        first, second, third = (bytearray(plane) for plane in self.planes)
        other.planes = (first, second, third)
        return other


def _portrait(person: Person, width: int, height: int) -> _Canvas:
    canvas = _Canvas(width, height, person.wall)
    middle, unit = width / 2, height / 10
    canvas.ellipse((middle, height + unit), (2.9 * unit, 3.4 * unit), person.shirt)
    canvas.rectangle(
        round(middle - 0.5 * unit) & ~1, round(6.2 * unit) & ~1, round(unit) & ~1,
        round(1.4 * unit) & ~1, _SKIN,
    )  # fmt: skip
    canvas.ellipse((middle, 3.9 * unit), (1.75 * unit, 2.1 * unit), _HAIR)
    canvas.ellipse((middle, 4.5 * unit), (1.5 * unit, 1.95 * unit), _SKIN)
    for side in (-1, 1):
        canvas.ellipse((middle + side * 0.6 * unit, 4.2 * unit), (0.13 * unit, 0.17 * unit), _HAIR)
    return canvas


_GRAIN = 24
"""Peak to peak, of 219 steps of luma: as a dim room looks to a laptop's camera."""


def _noise(person: Person, width: int, height: int) -> tuple[bytes, bytes, bytes]:
    """Grain around the wall's colour for half a picture and every offset in it."""
    chance = random.Random(person.key)  # noqa: S311 (a picture, no secret)

    def plane(value: int, size: int, peak: int) -> bytes:
        table = bytes(
            min(255, max(0, value - peak // 2 + step * peak // 255)) for step in range(256)
        )
        return chance.randbytes(size).translate(table)

    luma, cb, cr = _yuv(person.wall)
    count = width * height
    return plane(luma, count, _GRAIN), plane(cb, count // 4, 2), plane(cr, count // 4, 2)


class Camera(NamedTuple):
    """A drawn picture costs an encoder next to nothing, one with `grain` what a real one does."""

    width: int
    height: int
    frames_per_second: int = FRAMES_PER_SECOND
    grain: bool = False


DRAWN = Camera(640, 360)
FULL_HD = Camera(1920, 1080, 20, grain=True)
"""As fast as two cores encode it beside all else. At 15 a second one picture of 3.4 Mbit/s takes
190 ms on a path of 1.2: nothing could keep pauses below 200 ms there."""

WEBCAM = Camera(1280, 720, 30, grain=True)


def write_camera(path: Path, person: Person, camera: Camera = DRAWN) -> Path:
    """Write a Y4M clip (`--use-file-for-fake-video-capture`), looped by Chromium."""
    width, height, frames_per_second, grain = camera
    still = _portrait(person, width, height)
    noise = _noise(person, width, height)
    middle, unit = width / 2, height / 10
    frames = frames_per_second * CLIP_SECONDS
    with path.open("wb") as file:
        file.write(
            f"YUV4MPEG2 W{width} H{height} F{frames_per_second}:1 Ip A1:1 C420jpeg\n".encode()
        )
        for number in range(frames):
            frame = still.copy()
            opening = 0.12 + 0.16 * abs(math.sin(4 * math.pi * number / frames))
            frame.ellipse((middle, 5.5 * unit), (0.45 * unit, opening * unit), _MOUTH)
            bar = (width * 3 // 4) * number // frames
            frame.rectangle(bar & ~3, height - 12, width // 5 & ~3, 8, _BAR)
            if grain:
                frame.grain(noise, (number * 7919 * 8) % (width * height // 2 - width) & ~3)
            file.write(b"FRAME\n")
            for plane in frame.planes:
                file.write(plane)
    return path


def write_microphone(path: Path, person: Person) -> Path:
    """Write a WAV clip (`--use-file-for-fake-audio-capture`), looped by Chromium."""
    samples = array("h")
    for index in range(SAMPLE_RATE_HZ * CLIP_SECONDS):
        at = index / SAMPLE_RATE_HZ
        syllable = max(0.0, math.sin(2 * math.pi * 3.5 * at)) ** 0.5
        voice = sum(
            math.sin(2 * math.pi * person.pitch_hz * harmonic * at) / harmonic
            for harmonic in (1, 2, 3)
        )
        samples.append(round(9000 * syllable * voice / 1.9))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path
