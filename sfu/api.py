"""The facade of the media plane: peers, scenes and slots. Outsiders import this file only.

`Sfu` loads at its first use: with it come aiortc and the native engine, about a second that the
command line and whoever only needs the contract should not pay.
"""

from typing import TYPE_CHECKING

from sfu.contract import Answer, Limits, MediaPlane, PeerId, SfuListener, Slot, SourceKind
from sfu.errors import BusyError, ClosedError, SdpError, SfuError, UnknownPeerError
from sfu.stats import MediaStats
from sfu.transport.sdp import tracks_of

if TYPE_CHECKING:
    from sfu._engine import DownlinkStats, PathStats, StreamStats
    from sfu.plane import Sfu

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
    "tracks_of",
]


def __getattr__(name: str) -> object:
    if name == "Sfu":
        from sfu.plane import Sfu  # noqa: PLC0415 (see the docstring)

        return Sfu
    if name in ("DownlinkStats", "PathStats", "StreamStats"):
        from sfu import _engine  # noqa: PLC0415 (see the docstring)

        return getattr(_engine, name)
    raise AttributeError(name)
