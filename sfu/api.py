"""The facade of the media plane: peers, scenes and slots. Outsiders import this file only.

What brings aiortc and the native engine along loads at its first use: about a second that the
command line and whoever only needs the contract should not pay.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from sfu.contract import (
    Answer,
    Limits,
    MediaPlane,
    PeerId,
    SfuListener,
    Slot,
    SourceKind,
    WantedLayer,
)
from sfu.errors import BusyError, ClosedError, SdpError, SfuError, UnknownPeerError
from sfu.stats import MediaStats
from sfu.transport.addresses import host_addresses
from sfu.transport.sdp import tracks_of

if TYPE_CHECKING:
    from sfu._engine import DownlinkStats, PathStats, StreamStats
    from sfu.plane import Sfu
    from sfu.transport.relay import try_relay

_LOADED_AT_FIRST_USE = {
    "Sfu": "sfu.plane",
    "try_relay": "sfu.transport.relay",
    "DownlinkStats": "sfu._engine",
    "PathStats": "sfu._engine",
    "StreamStats": "sfu._engine",
}

__all__ = [
    "Answer",
    "BusyError",
    "ClosedError",
    "DownlinkStats",
    "Limits",
    "MediaPlane",
    "MediaStats",
    "PathStats",
    "PeerId",
    "SdpError",
    "Sfu",
    "SfuError",
    "SfuListener",
    "Slot",
    "SourceKind",
    "StreamStats",
    "UnknownPeerError",
    "WantedLayer",
    "host_addresses",
    "tracks_of",
    "try_relay",
]


def __getattr__(name: str) -> object:
    if name in _LOADED_AT_FIRST_USE:
        return getattr(import_module(_LOADED_AT_FIRST_USE[name]), name)
    raise AttributeError(name)
