"""`python -m tests.fuzz CORPUS SEEDS... [libFuzzer options]`: look for offers that break `sdp`."""

import random
import sys

import atheris

with atheris.instrument_imports(include=["sfu.transport.sdp", "server.bearer_sessions"]):
    from tests.fuzz.mutation import mutate
    from tests.fuzz.sdp import sdp

SHORT_BYTES = 12_000
LONG_SHARE = 0.02
"""Most inputs stay short: their number finds more than their length."""


def _change(data: bytes, max_bytes: int, seed: int) -> bytes:
    chance = random.Random(seed)
    if chance.random() >= LONG_SHARE:
        max_bytes = min(max_bytes, SHORT_BYTES)
    if chance.random() < 0.3:
        return bytes(atheris.Mutate(data[:max_bytes], max_bytes))
    return mutate(data, chance)[:max_bytes]


atheris.Setup(sys.argv, sdp, custom_mutator=_change)
atheris.Fuzz()
