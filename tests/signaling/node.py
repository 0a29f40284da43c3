"""A node's signalling with real rooms and a real Redis; media is a script, tokens are names."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from redis.asyncio import Redis

from rooms.ports import InterviewSpec
from rooms.service import NodeLimits, RoomService
from rooms.store.journal import Journal
from rooms.store.tokens import ResumeStamp, TokenStore
from sfu.api import Answer, MediaStats, PeerId, SdpError, Slot, UnknownPeerError
from sfu.stats import HandshakeCounts
from signaling.errors import AdmissionRefused, FeedUnavailable
from signaling.protocol.auth import Auth
from signaling.protocol.events import Notice
from signaling.protocol.hr import HrInterview
from signaling.protocol.views import HrContact, IceServer
from signaling.quality.sitting import SittingRecord
from signaling.session.intake import Intake
from signaling.session.ports import Check, Guest, HrSession
from signaling.session.visit import Visit
from signaling.session.visits import Visits
from tests.conditions import Changes
from tests.rooms.people import CANDIDATE, HR, INTERVIEWER, OBSERVER, SECOND, interview

PEOPLE = {person.id: person for person in (CANDIDATE, HR, INTERVIEWER, OBSERVER, SECOND)}
HOME = {"cai": "r1", "ida": "r1", "ole": "r1", "ivo": "r2", "hua": None}
_serial = count(1)


def join_token(participant: str) -> str:
    return f"join.{participant}.{next(_serial):016d}"


def offer(session: int = 1) -> str:
    return f"v=0\r\no=- {session} 2 IN IP4 127.0.0.1\r\ns=-\r\n"


class Clock:
    now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


class Tickets:
    """Tokens in plain words, single-use and rotating through the real store."""

    def __init__(self, redis: Redis, now_ms: Clock) -> None:
        self.store = TokenStore(redis, now_ms=now_ms)

    async def redeem(self, token: str, check: Check) -> Guest:
        kind, participant, serial = [*token.split("."), "", ""][:3]
        if kind != "join" or participant not in PEOPLE:
            raise AdmissionRefused("Not ours.", code="token_invalid")
        await check(guest(participant))
        if not await self.store.burn(serial, 60):
            raise AdmissionRefused("Used.", code="token_used")
        return guest(participant)

    async def resume(self, token: str) -> Guest:
        kind, participant, generation, epoch = [*token.rstrip("_").split("."), *[""] * 3][:4]
        if kind != "back" or participant not in PEOPLE:
            raise AdmissionRefused("Not ours.", code="token_invalid")
        if not await self.store.accepts(participant, ResumeStamp(int(generation), int(epoch))):
            raise AdmissionRefused("Revoked.", code="token_revoked")
        return guest(participant)

    async def issue_resume(self, guest: Guest) -> str:
        stamp = await self.store.rotate(guest.participant)
        return f"back.{guest.participant}.{stamp.generation}.{stamp.epoch}".ljust(16, "_")

    async def revoke(self, participant: str) -> None:
        await self.store.revoke(participant)


def guest(participant: str) -> Guest:
    person = PEOPLE[participant]
    return Guest(person.id, person.name, person.role, "i1", HOME[participant])


@dataclass
class StreamTotals:
    """As `sfu._engine.StreamStats`, as far as signalling reads it."""

    peer: int
    mid: str = "0"
    kind: str = "audio"
    direction: str = "receive"
    rid: str = ""
    ssrc: int = 1
    packets: int = 0
    bytes: int = 0
    packets_lost: int = 0
    jitter_ms: float = 0.0


@dataclass
class PathNow:
    """As `sfu._engine.PathStats`."""

    peer: int
    silent_ms: int = 0
    round_trip_time_ms: float | None = 20.0


@dataclass
class DownlinkNow:
    """As `sfu._engine.DownlinkStats`, as far as signalling reads it."""

    peer: int
    available_bps: int = 4_000_000
    acknowledged_bps: int = 1_000_000
    loss_ratio: float = 0.0


class ScriptedMedia:
    """A media plane that answers at once and remembers what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.peers: set[int] = set()
        self.packets: dict[int, int] = {}
        self.streams: list[StreamTotals] = []
        self.paths: dict[int, PathNow] = {}
        self.dropped: dict[str, int] = {}
        self.stuck = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._numbers = count(1)

    async def connect(self, sdp: str, tracks: Mapping[str, str]) -> Answer:
        await self.gate.wait()
        if "broken" in sdp:
            raise SdpError("sdp_malformed", "no")
        peer = PeerId(next(self._numbers))
        self.peers.add(peer)
        return Answer(peer, f"answer {peer}")

    async def renegotiate(self, peer: PeerId, sdp: str, tracks: Mapping[str, str]) -> str:
        if peer not in self.peers:
            raise UnknownPeerError
        return f"again {peer}"

    def place(self, peer: PeerId, scene: str | None) -> None:
        self.calls.append(("place", peer, scene))

    def watch(self, viewer: PeerId, subject: PeerId | None) -> None:
        self.calls.append(("watch", viewer, subject))

    def set_enabled(self, peer: PeerId, source: str, enabled: bool) -> None:
        self.calls.append((source, peer, enabled))

    def set_sizes(self, viewer: PeerId, sizes: Mapping[str, tuple[int, int]]) -> None:
        self.calls.append(("sizes", viewer, dict(sizes)))

    def limit_video(self, viewer: PeerId, max_height: int | None) -> None:
        self.calls.append(("limit", viewer, max_height))

    def disconnect(self, peer: PeerId) -> None:
        self.peers.discard(peer)
        self.calls.append(("gone", peer))

    async def stats(self) -> MediaStats:
        if self.stuck:
            raise TimeoutError
        streams = [StreamTotals(peer, packets=packets) for peer, packets in self.packets.items()]
        streams += [one for one in self.streams if one.peer in self.peers]
        paths = [self.paths.get(peer, PathNow(peer)) for peer in sorted(self.peers)]
        return MediaStats(
            len(self.peers), 0, HandshakeCounts(), 0, 0, dict(self.dropped), streams, paths
        )

    def since(self) -> list[tuple]:
        calls, self.calls = self.calls, []
        return calls


class Town:
    def ice_servers(self, guest: Guest) -> list[IceServer]:
        return [IceServer(urls=["turn:127.0.0.1"], username="u", credential="c")]

    def hr_contact(self, guest: Guest) -> HrContact:
        return HrContact(name="HR", phone="+86 10 0000 0000")


class Feed:
    """HR's list: one organisation, one interview."""

    def __init__(self) -> None:
        self.view = HrInterview(
            id="i1",
            title="Engineer",
            starts_at="",
            ends_at="",
            quality=None,
            rounds=[],
            participants=[],
        )
        self.away = False
        self.broken = False
        self.failed = Changes()
        self.failures = 0
        self.revoked: set[str] = set()

    def _read(self) -> None:
        if self.away or self.broken:
            self.failures += 1
            self.failed.tell()
        if self.away:
            raise FeedUnavailable("the database is away")
        if self.broken:
            raise RuntimeError("a defect of ours")

    async def authorise(self, cookies: Mapping[str, str]) -> HrSession | None:
        if self.away:
            self._read()
        organisation = None if cookies.get("hr") in self.revoked else cookies.get("hr")
        return HrSession(organisation) if organisation else None

    async def interviews(self, session: HrSession) -> list[HrInterview]:
        self._read()
        return [self.view] if session.organisation == "org" else []

    async def interview(self, session: HrSession, interview_id: str) -> HrInterview | None:
        self._read()
        return self.view if session.organisation == "org" else None


class Archive:
    """Keeps quality records by their id."""

    def __init__(self) -> None:
        self.kept: dict[str, SittingRecord] = {}
        self.away = False

    async def keep(self, records: Sequence[SittingRecord]) -> None:
        if self.away:
            raise ConnectionError
        self.kept |= {one.id: one for one in records}


class Ear:
    """A connection that hears everything."""

    def __init__(self) -> None:
        self.heard: list[Notice] = []
        self.closed = False

    def send(self, notice: Notice) -> None:
        assert not self.closed, "nothing is said after the end"
        self.heard.append(notice)

    def close(self) -> None:
        self.closed = True

    def since(self) -> list[Notice]:
        heard, self.heard = self.heard, []
        return heard

    def types(self) -> list[str]:
        """The types of what was heard since, event bodies by their own."""
        return [
            notice.body.type if notice.TYPE == "event" else notice.TYPE for notice in self.since()
        ]


class Caller:
    """A participant with a connection, as the Socket.IO edge drives it."""

    def __init__(self, visits: Visits, clock: Clock, visit: Visit, ear: Ear) -> None:
        self.visits, self.visit, self.ear = visits, visit, ear
        self._clock = clock
        self._intake = Intake(clock())

    async def does(self, name: str, /, **body: object):
        command = self._intake.command(name, body, 100, self._clock())
        return await self.visits.handle(self.visit, self.ear, command)

    def hangs_up(self) -> None:
        self.visits.disconnected(self.visit, self.ear)

    @property
    def peer(self) -> int:
        return self.visit.peer


class Node:
    def __init__(
        self,
        redis: Redis,
        spec: InterviewSpec | None = None,
        limits: NodeLimits | None = None,
    ) -> None:
        self.clock = Clock()
        self.spec = spec or interview()
        self.journal = Journal(redis)
        self.rooms = RoomService(self, self.journal, clock_ms=self.clock, limits=limits)
        self.media = ScriptedMedia()
        self.tickets = Tickets(redis, self.clock)
        self.archive = Archive()
        self.visits = Visits(
            self.rooms,
            self.media,
            self.tickets,
            Town(),
            clock_ms=self.clock,
            archive=self.archive,
        )
        self.feed = Feed()

    async def interview(self, interview_id: str) -> InterviewSpec | None:
        return self.spec if interview_id == self.spec.id else None

    async def come(self, participant: str, **resume: object) -> Caller:
        """Connect with a fresh token, or as `resume=…, room=…, seq=…` says."""
        auth = Auth(**resume) if resume else Auth(token=join_token(participant))
        ear = Ear()
        visit, greeting = await self.visits.connect(auth, ear)
        for notice in greeting:
            ear.send(notice)
        self.visits.greeted(visit)
        return Caller(self.visits, self.clock, visit, ear)

    def show_slots(self, viewer: Caller, *peers: int) -> None:
        slots: Sequence[Slot] = [
            Slot(f"v{n}", PeerId(peer), "camera") for n, peer in enumerate(peers)
        ]
        self.visits.desk.on_slots(PeerId(viewer.peer), slots)
