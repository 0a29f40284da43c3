"""A real DTLS client, aiortc's, over a line that a test can cut."""

import asyncio
from collections.abc import Callable

from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
    State,
)


class ClientTransport(RTCDtlsTransport):
    """Keeps the keys that aiortc would put into its SRTP sessions."""

    keys: tuple[bytes, bytes] | None = None
    """Ours to send with, ours to receive with."""

    def _setup_srtp(self) -> None:
        chosen = self._ssl.get_selected_srtp_profile()
        profile = next((p for p in self._srtp_profiles if p.openssl_profile == chosen), None)
        if profile is None:
            self._set_state(State.FAILED)
            return
        length = 2 * (profile.key_length + profile.salt_length)
        material = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", length)
        self.keys = (profile.get_key_and_salt(material, 0), profile.get_key_and_salt(material, 1))


class DtlsClient:
    """The browser's end: `send` takes its datagrams, `receive` gives it ours."""

    role = "controlling"

    def __init__(self, send: Callable[[bytes], None], profiles=None) -> None:
        self.certificate = RTCCertificate.generateCertificate()
        self.transport = ClientTransport(self, [self.certificate])
        self.transport._set_role("client")
        if profiles is not None:
            self.transport._srtp_profiles = profiles
        self._line = send
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue()

    @property
    def fingerprint(self) -> str:
        return next(
            item.value for item in self.certificate.getFingerprints() if item.algorithm == "sha-256"
        )

    async def start(self, server_fingerprint: str) -> None:
        expected = RTCDtlsParameters([RTCDtlsFingerprint("sha-256", server_fingerprint)])
        await self.transport.start(expected)

    def receive(self, datagram: bytes) -> None:
        self._inbox.put_nowait(datagram)

    async def _recv(self) -> bytes:
        return await self._inbox.get()

    async def _send(self, data: bytes) -> None:
        self._line(data)
