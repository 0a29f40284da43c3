"""The facade of the media plane: peers, scenes and slots. Outsiders import this file only."""

from sfu.contract import Answer, MediaPlane, PeerId, SfuListener, Slot, SourceKind
from sfu.errors import BusyError, ClosedError, SdpError, SfuError, UnknownPeerError

__all__ = [
    "Answer",
    "BusyError",
    "ClosedError",
    "MediaPlane",
    "PeerId",
    "SdpError",
    "SfuError",
    "SfuListener",
    "Slot",
    "SourceKind",
    "UnknownPeerError",
]
