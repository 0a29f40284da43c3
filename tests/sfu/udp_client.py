"""A visitor without a browser: a UDP socket, STUN by aioice, DTLS by aiortc, SRTP by pylibsrtp."""

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aioice import stun
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM
from pylibsrtp import Policy, Session

from tests.sfu.dtls_client import DtlsClient

UFRAG, PWD = "clnt", "clientpasswordclientpw"
WAIT_S = 10.0
AGAIN_S = 0.1
PACKET_S = 0.02
"""A packet of Opus lasts so long."""

EXTENSIONS = """a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01
a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid"""


def attribute(sdp: str, name: str) -> str:
    return sdp.split(f"a={name}:")[1].split("\r\n", maxsplit=1)[0]


def offer_of(fingerprint: str, *, ufrag: str = UFRAG) -> str:
    """A microphone and a camera (VP8), an audio slot and a video slot: mids 0 to 3."""
    transport = [
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{PWD}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
    ]
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1 2 3"]
    for mid, (kind, direction) in enumerate(
        [("audio", "sendonly"), ("video", "sendonly"), ("audio", "recvonly"), ("video", "recvonly")]
    ):
        formats = "111" if kind == "audio" else "96 97"
        codecs = (
            ["a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc"]
            if kind == "audio"
            else [
                "a=rtpmap:96 VP8/90000",
                "a=rtcp-fb:96 nack",
                "a=rtcp-fb:96 nack pli",
                "a=rtcp-fb:96 transport-cc",
                "a=rtpmap:97 rtx/90000",
                "a=fmtp:97 apt=96",
            ]
        )
        lines += [
            f"m={kind} 9 UDP/TLS/RTP/SAVPF {formats}",
            "c=IN IP4 0.0.0.0",
            *transport,
            f"a=mid:{mid}",
            *EXTENSIONS.split("\n"),
            f"a={direction}",
            "a=rtcp-mux",
            *codecs,
        ]
    return "\r\n".join(lines) + "\r\n"


@dataclass
class Received:
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class UdpClient(asyncio.DatagramProtocol):
    """Made by `open_client`. Media that arrives is in `rtp`, decrypted."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.server = (host, port)
        self.dtls = DtlsClient(self.send, [SRTP_AEAD_AES_128_GCM])
        self.rtp: asyncio.Queue[Received] = asyncio.Queue()
        self.replies: asyncio.Queue[stun.Message] = asyncio.Queue()
        self.peer = 0
        self.answer = ""
        self._inbound: Session | None = None
        self._outbound: Session | None = None
        self._sequence = 0
        self._picture = 0
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport) -> None:
        self._transport = transport

    def send(self, datagram: bytes) -> None:
        self._transport.sendto(datagram, self.server)

    def datagram_received(self, data: bytes, addr) -> None:
        if data[0] < 4:
            self.replies.put_nowait(stun.parse_message(data))
        elif 20 <= data[0] < 64:
            self.dtls.receive(data)
        elif self._inbound is not None and not 192 <= data[1] < 224:
            self.rtp.put_nowait(parse_rtp(self._inbound.unprotect(data)))

    def bind(self, ufrag: str, pwd: str, *, key: str | None = None) -> None:
        """Send a binding request as a browser does; `key` forges the integrity."""
        request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
        request.attributes["USERNAME"] = f"{ufrag}:{UFRAG}"
        request.attributes["PRIORITY"] = 1
        request.attributes["ICE-CONTROLLING"] = 7
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity((key or pwd).encode())
        request.add_fingerprint()
        self.send(bytes(request))

    async def connect(self, sfu) -> None:
        """Offer, ICE, DTLS: ready to send and receive media."""
        answer = await sfu.connect(
            offer_of(self.dtls.fingerprint), {"0": "microphone", "1": "camera"}
        )
        self.peer = answer.peer
        await self.establish(answer.sdp)

    async def establish(self, answer: str) -> None:
        """ICE and DTLS as the answer to our offer says."""
        self.answer = answer
        await self.ice()
        fingerprint = attribute(self.answer, "fingerprint").split(" ")[1]
        await asyncio.wait_for(self.dtls.start(fingerprint), WAIT_S)
        sending, receiving = self.dtls.transport.keys
        profile = SRTP_AEAD_AES_128_GCM.libsrtp_profile
        self._outbound = Session(
            Policy(key=sending, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        )
        self._inbound = Session(
            Policy(key=receiving, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        )

    async def ice(self) -> stun.Message:
        self.bind(attribute(self.answer, "ice-ufrag"), attribute(self.answer, "ice-pwd"))
        reply = await asyncio.wait_for(self.replies.get(), WAIT_S)
        assert reply.message_class == stun.Class.RESPONSE
        return reply

    def speak(self, payload: bytes) -> None:
        """One Opus packet, loud (RFC 6464, -10 dBov)."""
        self._sequence += 1
        self._send_rtp(111, 1111, self._sequence, self._sequence * 960, b"0", b"\x8a", payload)

    def film(self, payload: bytes) -> None:
        """One VP8 frame in one packet; each is a keyframe of 16 by 16."""
        self._sequence += 1
        self._picture += 1
        descriptor = b"\x90\x80" + bytes([0x80 | self._picture >> 8, self._picture & 0xFF])
        keyframe = b"\x10\x00\x00\x9d\x01\x2a\x10\x00\x10\x00"
        body = descriptor + keyframe + payload
        self._send_rtp(96, 2222, self._sequence, self._picture * 3000, b"1", None, body)

    def _send_rtp(self, payload_type, ssrc, sequence, timestamp, mid, level, payload) -> None:
        extension = bytes([4 << 4 | len(mid) - 1]) + mid
        if level is not None:
            extension += bytes([1 << 4]) + level
        extension += bytes(-len(extension) % 4)
        header = struct.pack(
            "!BBHII", 0x90, 0x80 | payload_type, sequence & 0xFFFF, timestamp, ssrc
        )
        block = struct.pack("!HH", 0xBEDE, len(extension) // 4) + extension
        self.send(self._outbound.protect(header + block + payload))

    def close(self) -> None:
        if self.dtls.transport._task is not None:
            self.dtls.transport._task.cancel()
        self._transport.close()


def parse_rtp(packet: bytes) -> Received:
    first, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", packet[:12])
    start = 12 + 4 * (first & 15)
    if first & 0x10:
        start += 4 + 4 * struct.unpack("!H", packet[start + 2 : start + 4])[0]
    return Received(second & 127, sequence, timestamp, ssrc, packet[start:])


async def open_client(port: int, host: str = "127.0.0.1") -> UdpClient:
    loop = asyncio.get_running_loop()
    _, client = await loop.create_datagram_endpoint(
        lambda: UdpClient(port, host), local_addr=(host, 0)
    )
    return client


async def received(client: UdpClient, payload: bytes, send: Callable[[bytes], None]) -> Received:
    """Send until it arrives: a first packet may come before its route."""
    async with asyncio.timeout(WAIT_S):
        while True:
            send(payload)
            try:
                async with asyncio.timeout(AGAIN_S):
                    while not (packet := await client.rtp.get()).payload.endswith(payload):
                        pass
                return packet
            except TimeoutError:
                continue


@asynccontextmanager
async def talking(client: UdpClient, payload: bytes = b"la") -> AsyncIterator[None]:
    """Speak at the pace of a microphone for as long as the block lasts.

    The only sender here that keeps time: whom the engine takes for a speaker, or for back again,
    depends on it, and the engine behind a socket has the machine's clock.
    """

    async def talk() -> None:
        while True:
            client.speak(payload)
            await asyncio.sleep(PACKET_S)

    speech = asyncio.create_task(talk())
    try:
        yield
    finally:
        speech.cancel()
