"""The media engine: one UDP port, TCP beside it, one thread; commands in, batches of events out.

Every method of `Engine` except `drain` queues a command for the media thread and returns at
once, in order; none blocks, and none raises for a peer that is already gone. Python allots the
peer numbers and never uses one twice. Nothing here is called per packet.
"""

from collections.abc import Sequence
from typing import Literal, final

class EngineError(Exception):
    """The engine refused its arguments or could not have its socket; `code` is stable."""

    code: str

@final
class Codec:
    """One payload type of a media section.

    `key` names the format across peers: `vp8`, `h264/42e01f/1` (profile-level-id with its level
    raised to a common one, packetization-mode), `opus`. A source is forwarded to a slot only
    under an equal key. `red/opus` is redundant `opus` (RFC 2198): the engine unpacks it, mends
    losses from it, and repeats sound to viewers that have it.
    `rtx_payload_type` is the RFC 4588 payload type, if negotiated.
    """

    def __init__(
        self,
        payload_type: int,
        key: str,
        clock_rate: int,
        *,
        rtx_payload_type: int | None = None,
        nack: bool = False,
        pli: bool = False,
        fir: bool = False,
        transport_cc: bool = False,
    ) -> None: ...

@final
class Media:
    """One m= section, seen from the server: `receive` is a source, `send` is a slot.

    `extensions` maps a header extension's URI to its id (RFC 8285). For `receive`, `rids` lists
    the simulcast layers (RFC 8853), lowest first, and `ssrc`/`rtx_ssrc` what a=ssrc announced,
    if anything. For `send`, `ssrc`, `rtx_ssrc` (video) and `cname` are what our answer says.
    """

    def __init__(
        self,
        mid: str,
        kind: Literal["audio", "video"],
        direction: Literal["receive", "send"],
        codecs: Sequence[Codec],
        extensions: dict[str, int],
        *,
        rids: Sequence[str] = (),
        ssrc: int | None = None,
        rtx_ssrc: int | None = None,
        cname: str = "",
    ) -> None: ...

@final
class Engine:
    def __init__(self, host: str, port: int, *, seed: bytes, tcp_port: int | None = None) -> None:
        """Bind one UDP socket (port 0: any) and start the media thread. `seed`: 32 bytes.

        With `tcp_port` (0: any) clients may also connect by TCP (RFC 6544, passive); where only
        that port cannot be had the code is `tcp_unavailable`.
        """
    @property
    def port(self) -> int: ...
    @property
    def tcp_port(self) -> int | None: ...
    @property
    def event_fd(self) -> int:
        """Readable while events wait; `drain` clears it."""
    def drain(self) -> list[Event]: ...
    def add_peer(self, peer: int, ice_ufrag: str, ice_pwd: str) -> None:
        """Answer STUN for our `ice_ufrag`/`ice_pwd` (RFC 8445, lite)."""
    def restart_ice(self, peer: int, ice_ufrag: str, ice_pwd: str) -> None:
        """Accept new credentials; the old pair stays valid until the new one is nominated."""
    def send_dtls(self, peer: int, datagram: bytes) -> None: ...
    def set_keys(self, peer: int, profile: int, receive: bytes, send: bytes) -> None:
        """SRTP master key + salt of each direction; `profile` as in RFC 5764 / RFC 7714."""
    def set_media(self, peer: int, media: Sequence[Media]) -> None:
        """The whole description, at first and after a renegotiation; known mids keep state."""
    def route(self, viewer: int, slot: str, source: tuple[int, str] | None) -> None:
        """Show `source` (peer, mid) in the viewer's slot (mid), or nothing.

        Sequence numbers, timestamps and picture ids stay continuous over a change; a keyframe
        is requested from a video source at once.
        """
    def set_slot(
        self,
        viewer: int,
        slot: str,
        *,
        drawn: tuple[int, int] | None,
        max_height: int | None,
        priority: int,
    ) -> None:
        """How to serve a video slot, whatever it shows.

        `drawn`: width and height in pixels on the viewer's screen, (0, 0) while it is not drawn,
        None if that is unknown. `max_height`: the most picture lines (of a picture that lies on
        its side), 0 for no pictures. `priority`, 0 to 255: higher ones get bandwidth first.
        """
    def set_enabled(self, peer: int, mid: str, enabled: bool) -> None:
        """Drop or forward what a source sends (muting on the server)."""
    def request_keyframe(self, peer: int, mid: str) -> None: ...
    def request_stats(self, token: int) -> None:
        """A `Stats` event with this token will follow."""
    def remove_peer(self, peer: int) -> None: ...
    def close(self) -> None:
        """Stop and join the media thread; later calls do nothing."""

# Events are frozen; match on the class.

@final
class IceConnected:
    """A peer's address was validated by an authenticated STUN request, or changed."""

    peer: int
    address: tuple[str, int]
    changed: bool
    transport: Literal["udp", "tcp"]

@final
class DtlsReceived:
    peer: int
    datagram: bytes

@final
class PeerSilent:
    """Nothing authenticated has arrived for `silent_ms`: sent at 2 s, 5 s, 15 s and 30 s."""

    peer: int
    silent_ms: int

@final
class SourceStarted:
    """The first valid packet of a source, or of one of its layers (`rid`, "" without)."""

    peer: int
    mid: str
    rid: str

@final
class LayersWanted:
    """The layers (by rid, lowest first) of a video source that somebody watches now.

    Sent when one is added at once, and within a second when one is not watched any more; the
    publisher may pause those that are not named. `""` is the layer of a source without rids.
    With each comes the most bits a second that are of use, if its only viewer has no more.
    """

    peer: int
    mid: str
    layers: list[tuple[str, int | None]]

@final
class SlotPaused:
    """The viewer's network cannot hold the smallest picture of a slot, or can again."""

    viewer: int
    slot: str
    paused: bool

@final
class Speaking:
    """Voice began or ended on an audio source (RFC 6464 levels, smoothed, with hysteresis)."""

    peer: int
    mid: str
    speaking: bool
    level_dbov: int

@final
class StreamStats:
    """Totals since the stream began, named as in W3C webrtc-stats; `rid` "": no simulcast."""

    peer: int
    mid: str
    rid: str
    kind: str
    direction: str
    ssrc: int
    packets: int
    bytes: int
    packets_lost: int
    jitter_ms: float
    round_trip_time_ms: float
    nack_count: int
    pli_count: int
    fir_count: int
    retransmitted_packets: int
    key_frames: int

@final
class PathStats:
    """The path to one peer, now.

    `silent_ms`: how long nothing authenticated has arrived; `round_trip_time_ms` is None before
    the first report.
    """

    peer: int
    silent_ms: int
    round_trip_time_ms: float | None

@final
class DownlinkStats:
    """The path to one viewer that gives feedback on it, at one moment."""

    peer: int
    available_bps: int
    """What may be spent on the viewer altogether."""
    acknowledged_bps: int
    """What arrived over the last half second, as the viewer told; 0 while it did not."""
    queue_ms: float
    """What stands in the queue of the path."""
    loss_ratio: float
    pacer_queue_ms: float
    """How long the oldest picture packet waits for its turn in the engine."""
    paced_packets: int
    probe_clusters: int

@final
class Stats:
    """The answer to `request_stats`; the datagram counters are the engine's totals."""

    token: int
    peers: int
    datagrams_received: int
    datagrams_sent: int
    tcp_connections: int
    datagrams_dropped: dict[str, int]
    """By reason: stun_unauthenticated, unknown_address, srtp_auth, srtp_replay, malformed, …"""
    paths: list[PathStats]
    """One for every peer."""
    streams: list[StreamStats]
    """One for every received layer and every slot in use."""
    downlinks: list[DownlinkStats]
    """One for every viewer that gives feedback."""

Event = (
    IceConnected
    | DtlsReceived
    | PeerSilent
    | SourceStarted
    | LayersWanted
    | SlotPaused
    | Speaking
    | Stats
)
