"""ICE and DTLS of a visitor over one plain UDP socket, which can then be handed on.

ICE: the controlling side of RFC 8445 against a lite server: one check with USE-CANDIDATE. DTLS:
aiortc's transport in the client role; only the SRTP keys are taken from it (RFC 5764).
"""

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass, field
from typing import cast

from aioice import stun
from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)
from aiortc.rtcicetransport import RTCIceTransport

from loadtest.errors import LoadtestError
from loadtest.visitor.offer import Credentials, ServerTransport

_CHECK_INTERVAL_S = 0.1
_CHECKS = 50
_HANDSHAKE_SECONDS = 10.0
_PRIORITY = 1845501695
_MEDIA_WAIT_S = 0.05
_MAX_WAITING_DATAGRAMS = 64

_PROFILE_NUMBERS = {
    SRTP_AES128_CM_SHA1_80: 0x0001,
    SRTP_AEAD_AES_128_GCM: 0x0007,
    SRTP_AEAD_AES_256_GCM: 0x0008,
}


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master key followed by salt in each direction, seen from the visitor."""

    profile: int
    send: bytes = field(repr=False)
    receive: bytes = field(repr=False)


class MediaPath:
    """One UDP socket on loopback and what the visitor says on it until media flows.

    The caller gives its offer our `credentials` and `fingerprint`, then awaits `connect` with
    the answer's transport. Afterwards `socket` is quiet: nothing here reads it any more.
    """

    role = "controlling"

    def __init__(self, certificate: RTCCertificate, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((host, 0))
        self.credentials = Credentials(secrets.token_hex(4), secrets.token_hex(16))
        self._certificate = certificate
        self._server: ServerTransport | None = None
        self._drops_media = False
        self._waiting: asyncio.TimerHandle | None = None
        self._answers: asyncio.Queue[stun.Message] = asyncio.Queue(_MAX_WAITING_DATAGRAMS)
        self._datagrams: asyncio.Queue[bytes] = asyncio.Queue(_MAX_WAITING_DATAGRAMS)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of our certificate, as SDP writes it."""
        digests = {item.algorithm: item.value for item in self._certificate.getFingerprints()}
        return digests["sha-256"]

    async def connect(self, server: ServerTransport) -> SrtpKeys:
        """Validate the path and shake hands. Raises LoadtestError."""
        self._server = server
        loop = asyncio.get_running_loop()
        loop.add_reader(self.socket, self._read)
        try:
            await self._validate()
            return await self._shake_hands(server)
        finally:
            loop.remove_reader(self.socket)
            if self._waiting is not None:
                self._waiting.cancel()

    def check(self) -> bytes:
        """A binding request that the server answers: nominates the path, renews the consent."""
        server = self._expect_server()
        request = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.REQUEST,
            attributes={
                "USERNAME": f"{server.credentials.ufrag}:{self.credentials.ufrag}",
                "ICE-CONTROLLING": secrets.randbits(64),
                "PRIORITY": _PRIORITY,
                "USE-CANDIDATE": None,
            },
        )
        request.add_message_integrity(server.credentials.pwd.encode())
        return bytes(request)

    def close(self) -> None:
        """Close the socket; the server notices the silence."""
        self.socket.close()

    async def _validate(self) -> None:
        for _ in range(_CHECKS):
            await self._send(self.check())
            with contextlib.suppress(TimeoutError):
                answer = await asyncio.wait_for(self._answers.get(), _CHECK_INTERVAL_S)
                if answer.message_class == stun.Class.RESPONSE:
                    return
        raise LoadtestError("no answer to our ICE checks", "is the server's UDP port reachable?")

    async def _shake_hands(self, server: ServerTransport) -> SrtpKeys:
        transport = _ClientTransport(cast(RTCIceTransport, self), [self._certificate])
        transport._set_role("client")
        expected = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", server.fingerprint)])
        try:
            await asyncio.wait_for(transport.start(expected), _HANDSHAKE_SECONDS)
        except TimeoutError:
            raise LoadtestError("the DTLS handshake did not end in time") from None
        if transport.keys is None:
            raise LoadtestError("the DTLS handshake failed")
        if transport._task is not None:
            # No farewell: the association lives on, its socket is used by others.
            transport._task.cancel()
        return transport.keys

    def _read(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(BlockingIOError):
            # Media stay in the socket, for whoever reads it next: they begin with a keyframe.
            while self._drops_media or not _is_media(self.socket.recv(1, socket.MSG_PEEK)):
                self._dispatch(self.socket.recv(4096))
            loop.remove_reader(self.socket)
            self._waiting = loop.call_later(_MEDIA_WAIT_S, self._read_on)

    def _read_on(self) -> None:
        """The end of the handshake is still awaited: it was lost, and comes again behind media."""
        self._drops_media = True
        asyncio.get_running_loop().add_reader(self.socket, self._read)

    def _dispatch(self, datagram: bytes) -> None:
        # RFC 7983: STUN begins with 0 to 3, DTLS with 20 to 63.
        first = datagram[0] if datagram else 255
        with contextlib.suppress(asyncio.QueueFull, ValueError):
            if first < 4:
                self._answers.put_nowait(stun.parse_message(datagram))
            elif 20 <= first < 64:
                self._datagrams.put_nowait(datagram)

    def _expect_server(self) -> ServerTransport:
        if self._server is None:
            raise LoadtestError("the server's transport is not known yet", "call connect first")
        return self._server

    async def _recv(self) -> bytes:
        """For aiortc: the next DTLS datagram."""
        return await self._datagrams.get()

    async def _send(self, data: bytes) -> None:
        """For aiortc and the checks. A full buffer loses the datagram; both repeat."""
        with contextlib.suppress(BlockingIOError):
            self.socket.sendto(data, self._expect_server().address)


def _is_media(head: bytes) -> bool:
    """SRTP and SRTCP (RFC 7983); they come once the server has ended its part of the handshake."""
    return bool(head) and 128 <= head[0] < 192


class _ClientTransport(RTCDtlsTransport):
    """aiortc's transport, but the keys are kept instead of used."""

    keys: SrtpKeys | None = None

    def _setup_srtp(self) -> None:
        assert self._ssl is not None, "called at the end of the handshake"
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next((p for p in _PROFILE_NUMBERS if p.openssl_profile == chosen), None)
        if profile is None:
            self._set_state(State.FAILED)
            return
        length = 2 * (profile.key_length + profile.salt_length)
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", length)
        self.keys = SrtpKeys(
            profile=_PROFILE_NUMBERS[profile],
            send=profile.get_key_and_salt(material, 0),
            receive=profile.get_key_and_salt(material, 1),
        )
