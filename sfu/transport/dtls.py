"""DTLS handshakes (RFC 5763, RFC 5764) by aiortc, over datagrams that the engine carries.

aiortc's transport reads and writes through an object with `role`, `_recv` and `_send`; that and
the other private names used here hold for the pinned version, and a test with a real client
proves them. SRTP itself never comes this way: only the keys leave.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from aiortc.rtcdtlstransport import (
    SRTP_AEAD_AES_128_GCM,
    SRTP_AEAD_AES_256_GCM,
    SRTP_AES128_CM_SHA1_80,
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
    State,
)
from aiortc.rtcicetransport import RTCIceTransport
from cryptography.x509 import InvalidVersion
from OpenSSL import SSL

from sfu.transport.budget import TokenBucket

SRTP_PROFILES = [SRTP_AEAD_AES_128_GCM, SRTP_AES128_CM_SHA1_80, SRTP_AEAD_AES_256_GCM]
"""In our order of preference, which counts since we are the DTLS server: the cheapest first."""

PROFILE_NUMBERS = {
    SRTP_AES128_CM_SHA1_80: 0x0001,  # RFC 5764, section 4.1.2
    SRTP_AEAD_AES_128_GCM: 0x0007,  # RFC 7714, section 14.2
    SRTP_AEAD_AES_256_GCM: 0x0008,
}

EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
"""RFC 5764, section 4.2."""

HANDSHAKE_TIMEOUT_S = 10.0
"""From the client's first datagram; OpenSSL repeats a lost flight after 1, 3 and 7 s."""

FIRST_DATAGRAM_TIMEOUT_S = 30.0
"""From our answer: the client may still be waiting for a network or a proxy."""

MAX_WAITING_DATAGRAMS = 32
"""A client's longest flight is a handful; what is dropped beyond is repeated if it mattered."""

DATAGRAM_BURST = 64
DATAGRAMS_PER_SECOND = 20.0
"""Past the handshake nothing but an alert is expected; a flood must not reach OpenSSL."""

MAX_DATAGRAM_BYTES = 1200
"""Ours: below every path's MTU, as the engine sends SRTP."""

RECORD_HEADER_BYTES = 13


class DtlsError(Exception):
    """The handshake failed; `reason` is one of SfuListener.on_closed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What the engine needs: each direction's master key followed by its salt."""

    profile: int
    receive: bytes = field(repr=False)
    send: bytes = field(repr=False)


class NodeCertificate(RTCCertificate):
    """The node's one certificate, with one OpenSSL context for all its handshakes."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
        return self._context

    @property
    def sha256(self) -> str:
        """The fingerprint as SDP writes it."""
        digests = {item.algorithm: item.value for item in self.getFingerprints()}
        return digests["sha-256"]


class _Path:
    """What aiortc takes for an ICE transport: a bounded queue in, the engine out."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._write = send
        self._datagrams: asyncio.Queue[bytes | None] = asyncio.Queue(MAX_WAITING_DATAGRAMS + 1)
        self._bucket = TokenBucket(DATAGRAM_BURST, DATAGRAMS_PER_SECOND)
        self.begun = asyncio.Event()

    def receive(self, datagram: bytes, now_s: float) -> None:
        waiting = self._datagrams.qsize()
        if datagram and waiting < MAX_WAITING_DATAGRAMS and self._bucket.take(now_s):
            self._datagrams.put_nowait(datagram)
            self.begun.set()

    def close(self) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._datagrams.put_nowait(None)

    async def _recv(self) -> bytes:
        datagram = await self._datagrams.get()
        if datagram is None:
            raise ConnectionError
        return datagram

    async def _send(self, data: bytes) -> None:
        for datagram in pack_records(data):
            self._write(datagram)


class _Transport(RTCDtlsTransport):
    """aiortc's transport as a DTLS server that hands its keys out instead of using them."""

    keys: SrtpKeys | None = None

    @property
    def connection(self) -> SSL.Connection:
        assert self._ssl is not None, "only asked for once the handshake began"
        return self._ssl

    def _setup_srtp(self) -> None:
        chosen = self.connection.get_selected_srtp_profile()
        profile = next((p for p in SRTP_PROFILES if p.openssl_profile == chosen), None)
        if profile is None:
            self._set_state(State.FAILED)
            return
        length = 2 * (profile.key_length + profile.salt_length)
        material = self.connection.export_keying_material(EXPORTER_LABEL, length)
        self.keys = SrtpKeys(
            profile=PROFILE_NUMBERS[profile],
            receive=profile.get_key_and_salt(material, 0),
            send=profile.get_key_and_salt(material, 1),
        )

    async def _write_ssl(self) -> None:
        """Send all that OpenSSL wrote: aiortc's own takes 1,500 bytes and leaves the rest."""
        written = b""
        with contextlib.suppress(SSL.Error):
            while chunk := self.connection.bio_read(65_536):
                written += chunk
        if written:
            await self.transport._send(written)


class DtlsSession:
    """One peer's DTLS, from our answer to the last alert.

    The caller runs `handshake` and then `closed` in one task, feeds `receive` from the engine's
    events, and calls `close` once, from wherever.
    """

    def __init__(
        self, certificate: NodeCertificate, fingerprint: str, send: Callable[[bytes], None]
    ) -> None:
        """`fingerprint`: what the client's certificate must hash to, by SHA-256."""
        self._path = _Path(send)
        self._remote = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint)])
        self._transport = _Transport(cast(RTCIceTransport, self._path), [certificate])
        self._transport._srtp_profiles = SRTP_PROFILES
        self._transport._set_role("server")

    def receive(self, datagram: bytes, now_s: float) -> None:
        """A DTLS datagram of this peer; dropped when too many wait."""
        self._path.receive(datagram, now_s)

    async def begun(self) -> None:
        """Wait for the client's first datagram. Raises DtlsError `dtls_timeout`."""
        try:
            await asyncio.wait_for(self._path.begun.wait(), FIRST_DATAGRAM_TIMEOUT_S)
        except TimeoutError:
            raise DtlsError("dtls_timeout") from None

    async def handshake(self) -> SrtpKeys:
        """The keys, once the client proved the certificate of its offer.

        Raises DtlsError: `dtls_timeout`, `dtls_failed`.
        """
        try:
            await asyncio.wait_for(self._transport.start(self._remote), HANDSHAKE_TIMEOUT_S)
        except TimeoutError:
            raise DtlsError("dtls_timeout") from None
        except (SSL.Error, ValueError, InvalidVersion):
            # The latter two: OpenSSL took a certificate that `cryptography` cannot read.
            raise DtlsError("dtls_failed") from None
        if self._transport.keys is None:
            raise DtlsError("dtls_failed")
        return self._transport.keys

    async def closed(self) -> None:
        """Wait until the client says close_notify (RFC 5246, section 7.2.1)."""
        pump = self._transport._task
        if pump is not None:
            await asyncio.wait([pump])

    def close(self) -> None:
        """Tell the client goodbye and stop; harmless in any state."""
        transport = self._transport
        if transport._task is not None:
            transport._task.cancel()
        self._path.close()
        if transport._ssl is not None:
            self._say_goodbye(transport._ssl)

    def _say_goodbye(self, connection: SSL.Connection) -> None:
        with contextlib.suppress(SSL.Error):
            connection.shutdown()
        with contextlib.suppress(SSL.Error):
            for datagram in pack_records(connection.bio_read(65_536)):
                self._path._write(datagram)


def pack_records(data: bytes) -> Iterator[bytes]:
    """Split OpenSSL's output into datagrams at record boundaries (RFC 6347, section 4.1).

    Whole records are joined up to MAX_DATAGRAM_BYTES; a single longer one goes alone.
    """
    start = end = 0
    while end < len(data):
        length = int.from_bytes(data[end + 11 : end + RECORD_HEADER_BYTES])
        following = min(end + RECORD_HEADER_BYTES + length, len(data))
        if following - start > MAX_DATAGRAM_BYTES and end > start:
            yield data[start:end]
            start = end
        end = following
    if end > start:
        yield data[start:end]


async def warm_up(certificate: NodeCertificate) -> None:
    """One handshake with ourselves: the first in a process costs 9 ms, which no visitor should."""
    client_certificate = RTCCertificate.generateCertificate()
    fingerprints = {item.algorithm: item.value for item in client_certificate.getFingerprints()}
    to_client: asyncio.Queue[bytes] = asyncio.Queue()
    server = DtlsSession(certificate, fingerprints["sha-256"], to_client.put_nowait)

    class _Loopback:
        role = "controlling"

        async def _recv(self) -> bytes:
            return await to_client.get()

        async def _send(self, data: bytes) -> None:
            server.receive(data, 0.0)

    client = RTCDtlsTransport(cast(RTCIceTransport, _Loopback()), [client_certificate])
    client._set_role("client")
    expected = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", certificate.sha256)])
    await asyncio.gather(server.handshake(), client.start(expected))
    await client.stop()
    server.close()
