"""What we need of the media engine, as a Protocol, and how a negotiation is said to it."""

from collections.abc import Sequence
from typing import Protocol

from sfu._engine import Codec as EngineCodec
from sfu._engine import Media
from sfu.transport.sdp.codecs import Codec
from sfu.transport.sdp.negotiate import Negotiated, Receiving, Sending


class EnginePort(Protocol):
    """The commands of `sfu._engine.Engine` that concern peers."""

    def add_peer(self, peer: int, ice_ufrag: str, ice_pwd: str) -> None: ...
    def restart_ice(self, peer: int, ice_ufrag: str, ice_pwd: str) -> None: ...
    def send_dtls(self, peer: int, datagram: bytes) -> None: ...
    def set_keys(self, peer: int, profile: int, receive: bytes, send: bytes) -> None: ...
    def set_media(self, peer: int, media: Sequence[Media]) -> None: ...
    def route(self, viewer: int, slot: str, source: tuple[int, str] | None) -> None: ...
    def set_enabled(self, peer: int, mid: str, enabled: bool) -> None: ...
    def request_stats(self, token: int) -> None: ...
    def remove_peer(self, peer: int) -> None: ...


def describe(negotiated: Negotiated) -> list[Media]:
    """The whole media description of a peer, for `set_media`."""
    received = [_received(source) for source in negotiated.sources]
    return received + [_sent(slot) for slot in negotiated.slots]


def _received(source: Receiving) -> Media:
    return Media(
        source.mid,
        source.kind,
        "receive",
        [_codec(codec) for codec in source.codecs],
        dict(source.extensions),
        rids=source.rids,
        ssrc=source.ssrc,
        rtx_ssrc=source.rtx_ssrc,
    )


def _sent(slot: Sending) -> Media:
    return Media(
        slot.mid,
        slot.kind,
        "send",
        [_codec(codec) for codec in slot.codecs],
        dict(slot.extensions),
        ssrc=slot.sent.ssrc,
        rtx_ssrc=slot.sent.rtx_ssrc,
        cname=slot.sent.stream,
    )


def _codec(codec: Codec) -> EngineCodec:
    return EngineCodec(
        codec.payload_type,
        codec.key,
        codec.clock_rate,
        rtx_payload_type=codec.rtx_payload_type,
        nack="nack" in codec.feedback,
        pli="nack pli" in codec.feedback,
        fir="ccm fir" in codec.feedback,
        transport_cc="transport-cc" in codec.feedback,
    )
