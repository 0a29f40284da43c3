"""The rooms of a node: opening, effects on media, listeners, time."""

import asyncio
from collections.abc import Sequence

import pytest
from redis.asyncio import Redis

from rooms import errors
from rooms.interview import LiveInterview
from rooms.ports import InterviewSpec
from rooms.room import commands as c
from rooms.room.events import Recorded
from rooms.room.model import GRACE_MS
from rooms.room.room import Room
from rooms.service import IDLE_MS, RoomService
from rooms.store.client import redis_client
from rooms.store.journal import Journal
from tests.rooms.people import CANDIDATE, INTERVIEWER, OBSERVER, SECOND, interview


class Clock:
    now_ms = 1_000

    def __call__(self) -> int:
        return self.now_ms


class Bookings:
    """What HR has scheduled."""

    def __init__(self, *specs: InterviewSpec) -> None:
        self.specs = {spec.id: spec for spec in specs}
        self.asked = 0

    async def interview(self, interview_id: str) -> InterviewSpec | None:
        self.asked += 1
        await asyncio.sleep(0)
        return self.specs.get(interview_id)


class Theatre:
    """Remembers what the media plane was told."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []

    def place(self, participant: str, scene: str | None) -> None:
        self.calls.append(("place", participant, scene))

    def set_enabled(self, participant: str, source: str, enabled: bool) -> None:
        self.calls.append((source, participant, enabled))

    def since(self) -> list[tuple]:
        calls, self.calls = self.calls, []
        return calls


class Audience:
    def __init__(self) -> None:
        self.told: list[tuple] = []

    def on_events(self, live: LiveInterview, room: Room, recorded: Sequence[Recorded]) -> None:
        self.told += [(room.id, type(one.event).__name__) for one in recorded]

    def on_moved(self, live: LiveInterview, participant: str, reason: str) -> None:
        self.told.append((participant, reason))


class Node:
    def __init__(self, redis: Redis, spec: InterviewSpec | None = None) -> None:
        self.clock = Clock()
        self.bookings = Bookings(spec or interview())
        self.journal = Journal(redis)
        self.rooms = RoomService(self.bookings, self.journal, clock_ms=self.clock)
        self.theatre = Theatre()
        self.audience = Audience()
        self.rooms.bind(self.theatre, self.audience)
        self.changed: list[str] = []
        self.rooms.on_change(self.changed.append)

    async def enter(self, *people) -> None:
        for person, round_id in people:
            await self.rooms.enter(person, "i1", round_id)


@pytest.fixture
def node(redis) -> Node:
    return Node(redis)


async def test_an_interview_is_read_once(node):
    lives = await asyncio.gather(*(node.rooms.open("i1") for _ in range(10)))
    assert all(live is lives[0] for live in lives)
    assert node.bookings.asked == 1


async def test_an_unknown_interview(node):
    with pytest.raises(errors.InterviewUnknown):
        await node.rooms.enter(CANDIDATE, "nope", None)


@pytest.mark.parametrize("now_ms", [999, 2_001])
async def test_an_interview_that_is_not_open(redis, now_ms):
    spec = InterviewSpec("i1", "T", interview().rounds, opens_at_ms=1_000, closes_at_ms=2_000)
    node = Node(redis, spec)
    node.clock.now_ms = now_ms
    with pytest.raises(errors.InterviewClosed):
        await node.enter((CANDIDATE, "r1"))


async def test_an_interview_that_overruns_keeps_its_people(redis):
    spec = InterviewSpec("i1", "T", interview().rounds, opens_at_ms=0, closes_at_ms=2_000)
    node = Node(redis, spec)
    await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
    node.clock.now_ms = 10_000
    node.rooms.disconnect("cai")
    await node.enter((CANDIDATE, "r1"))
    assert node.rooms.where("cai")[1].id == "r1"
    node.rooms.submit(c.Admit("ida", "cai"))
    node.rooms.hand_over("ida", "cai", None)
    assert node.rooms.where("cai")[1].id == "r2"


async def test_a_hand_over_is_one_move_on_stage(node):
    await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"), (SECOND, "r2"))
    assert ("place", "cai", "r1") not in node.theatre.since()
    node.rooms.submit(c.Admit("ida", "cai"))
    assert node.theatre.since() == [("place", "cai", "r1")]
    done = node.rooms.hand_over("ida", "cai", None)
    assert node.theatre.since() == [("place", "cai", "r2")], "never off stage in between"
    assert (done.round, done.placement) == ("r2", "room")
    node.rooms.take_back("ida", "cai")
    assert node.theatre.since() == [("place", "cai", "r1")]


async def test_a_hand_over_into_a_lobby_takes_the_candidate_off_stage(node):
    await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
    node.rooms.submit(c.Admit("ida", "cai"))
    node.theatre.since()
    assert node.rooms.hand_over("ida", "cai", None).placement == "lobby"
    assert node.theatre.since() == [("place", "cai", None)]
    assert node.rooms.seen_in("r1") == {"ida"}


async def test_a_refused_command_moves_nothing(node):
    await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
    node.theatre.since()
    node.audience.told.clear()
    with pytest.raises(errors.NotSeated):
        node.rooms.submit(c.StartScreen("cai"))
    with pytest.raises(errors.ParticipantUnknown):
        node.rooms.hand_over("ida", "nobody", None)
    assert node.theatre.since() == []
    assert node.audience.told == []


async def test_screens_and_microphones_follow_the_room(node):
    await node.enter((INTERVIEWER, "r1"))
    node.theatre.since()
    node.rooms.submit(c.StartScreen("ida"))
    assert node.theatre.since() == [("screen", "ida", True)]
    node.rooms.submit(c.SetMedia("ida", False, False))
    assert node.theatre.since() == [("microphone", "ida", False)]
    node.rooms.submit(c.StopScreen("ida"))
    assert node.theatre.since() == [("screen", "ida", False)]


async def test_an_observer_is_never_heard_or_seen(node):
    await node.enter((OBSERVER, "r1"))
    calls = node.theatre.since()
    assert ("microphone", "ole", False) in calls
    assert ("camera", "ole", False) in calls


async def test_ending_takes_everybody_off_stage(node):
    await node.enter((INTERVIEWER, "r1"), (OBSERVER, "r1"), (CANDIDATE, "r1"))
    node.theatre.since()
    node.rooms.submit(c.End("ida"))
    places = [call for call in node.theatre.since() if call[0] == "place"]
    assert sorted(places) == [("place", "ida", None), ("place", "ole", None)]
    assert node.rooms.seen_in("r1") == frozenset()


async def test_a_new_peer_is_told_everything_again(node):
    await node.enter((INTERVIEWER, "r1"))
    node.rooms.submit(c.SetMedia("ida", False, True))
    node.rooms.submit(c.StartScreen("ida"))
    node.theatre.since()
    node.rooms.restage("ida")
    assert sorted(node.theatre.since()) == [
        ("microphone", "ida", False),
        ("place", "ida", "r1"),
        ("screen", "ida", True),
    ]
    assert node.rooms.seen_in("r1") == {"ida"}


async def test_listeners_are_told_in_order(node):
    await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
    node.audience.told.clear()
    node.rooms.submit(c.Admit("ida", "cai"))
    node.rooms.hand_over("ida", "cai", None)
    assert node.audience.told == [
        ("r1", "Entered"),
        ("cai", "admitted"),
        ("r1", "Left"),
        ("r2", "Entered"),
        ("cai", "handed_over"),
    ]


async def test_hr_hears_of_comings_and_goings_but_not_of_chat(node):
    await node.enter((INTERVIEWER, "r1"))
    assert node.changed == ["i1"]
    node.rooms.submit(c.Say("ida", "hello", "k"))
    node.rooms.submit(c.React("ida", "like"))
    assert node.changed == ["i1"]
    node.rooms.disconnect("ida")
    assert node.changed == ["i1", "i1"]
    [one] = node.rooms.participants("i1")
    assert (one.participant, one.round, one.placement, one.connected) == (
        "ida",
        "r1",
        "room",
        False,
    )
    assert node.rooms.participants("other") == []


async def test_a_restarted_node_keeps_the_seats_and_their_grace_begins(redis):
    before = Node(redis)
    await before.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
    before.rooms.submit(c.Admit("ida", "cai"))
    before.rooms.hand_over("ida", "cai", None)
    await before.journal.flush()

    after = Node(redis)
    after.clock.now_ms = 60 * 60_000
    await after.enter((INTERVIEWER, "r1"))
    assert {
        (one.participant, one.round, one.connected) for one in after.rooms.participants("i1")
    } == {
        ("ida", "r1", True),
        ("cai", "r2", False),
    }
    after.clock.now_ms += GRACE_MS
    after.rooms.pass_time()
    assert [one.participant for one in after.rooms.participants("i1")] == ["ida"]
    await after.enter((CANDIDATE, "r1"))
    assert after.rooms.where("cai")[1].id == "r2", "the hand-over is remembered without a seat"


async def test_an_idle_interview_leaves_memory_but_not_redis(node):
    await node.enter((INTERVIEWER, "r1"))
    node.rooms.submit(c.Say("ida", "for later", "k"))
    node.rooms.submit(c.Leave("ida"))
    node.rooms.pass_time()
    node.clock.now_ms += IDLE_MS
    node.rooms.pass_time()
    assert node.rooms.live("i1") is not None, "not all of it is in Redis yet"
    await node.journal.flush()
    node.rooms.pass_time()
    assert node.rooms.live("i1") is None
    await node.enter((INTERVIEWER, "r1"))
    [line] = node.rooms.where("ida")[1].state.chat
    assert line.text == "for later"


async def test_a_room_goes_on_without_redis(own_redis):
    async with redis_client(own_redis.url) as redis:
        node = Node(redis)
        await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
        running = asyncio.create_task(node.rooms.run())
        own_redis.stop()
        node.rooms.submit(c.Admit("ida", "cai"))
        await node.rooms.enter(SECOND, "i1", "r2")
        node.rooms.hand_over("ida", "cai", None)
        assert not await node.journal.flush()
        own_redis.start()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        again = await Journal(redis).load(interview())
        assert again.room_of("cai").id == "r2", "what was left was written at the end"


async def test_an_interview_cannot_be_opened_without_redis(own_redis):
    async with redis_client(own_redis.url) as redis:
        own_redis.stop()
        with pytest.raises(errors.StoreUnavailable):
            await Node(redis).enter((INTERVIEWER, "r1"))


async def test_what_nobody_sits_in_cannot_be_commanded(node):
    with pytest.raises(errors.NotSeated):
        node.rooms.submit(c.Leave("cai"))
    with pytest.raises(errors.NotSeated):
        node.rooms.where("cai")
    node.rooms.disconnect("cai")
    assert node.rooms.scene_of("cai") is None


async def test_hr_changes_an_interview_that_runs(node):
    await node.enter((INTERVIEWER, "r1"), (CANDIDATE, "r1"))
    node.bookings.specs["i1"] = interview(rounds=3)
    await node.rooms.refresh("i1")
    node.rooms.hand_over("ida", "cai", "r3")
    assert node.rooms.where("cai")[1].id == "r3"
    await node.rooms.refresh("unknown")
