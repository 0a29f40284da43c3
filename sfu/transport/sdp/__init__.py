"""SDP offer and answer: an own strict parser, since no library keeps rid and simulcast lines."""

from sfu.transport.sdp.answer import HostAddress, LocalTransport
from sfu.transport.sdp.negotiate import Negotiated, Negotiator, Receiving, Sending
from sfu.transport.sdp.offer import RemoteTransport, tracks_of

__all__ = [
    "HostAddress",
    "LocalTransport",
    "Negotiated",
    "Negotiator",
    "Receiving",
    "RemoteTransport",
    "Sending",
    "tracks_of",
]
