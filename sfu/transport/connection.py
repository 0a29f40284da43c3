"""One peer's connection: its negotiation and its DTLS, from the first offer to the last alert."""

import asyncio
from collections.abc import Callable

from sfu.contract import PeerId
from sfu.transport.dtls import DtlsError, DtlsSession, NodeCertificate, SrtpKeys
from sfu.transport.sdp import Negotiated, Negotiator


class Connection:
    """Owned by the plane, which feeds it datagrams and closes it."""

    def __init__(self, peer: PeerId, negotiator: Negotiator, first: Negotiated) -> None:
        self.peer = peer
        self.negotiator = negotiator
        self.negotiated = first
        self.connected = False
        self._dtls: DtlsSession | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(
        self,
        certificate: NodeCertificate,
        handshakes: asyncio.Semaphore,
        *,
        send: Callable[[bytes], None],
        on_keys: Callable[[SrtpKeys], None],
        on_end: Callable[[str], None],
    ) -> None:
        """Wait for the client's DTLS in a task of its own; `on_end` gets the reason, once.

        `handshakes` bounds how many are under way; the others' datagrams wait meanwhile.
        """
        self._dtls = DtlsSession(certificate, self.negotiated.remote.fingerprint, send)
        self._task = asyncio.create_task(
            self._run(self._dtls, handshakes, on_keys, on_end), name=f"dtls-{self.peer}"
        )

    async def _run(
        self,
        dtls: DtlsSession,
        handshakes: asyncio.Semaphore,
        on_keys: Callable[[SrtpKeys], None],
        on_end: Callable[[str], None],
    ) -> None:
        try:
            await dtls.begun()
            async with handshakes:
                keys = await dtls.handshake()
        except DtlsError as error:
            on_end(error.reason)
            return
        self.connected = True
        on_keys(keys)
        await dtls.closed()
        on_end("dtls_closed")

    def receive_dtls(self, datagram: bytes, now_s: float) -> None:
        if self._dtls is not None:
            self._dtls.receive(datagram, now_s)

    def close(self) -> None:
        """Say goodbye to the client; no callback comes after this."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        if self._dtls is not None:
            self._dtls.close()
