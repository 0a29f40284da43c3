"""Live state in a real Redis: written behind, read back, lost and found."""

import asyncio

import pytest
from redis.exceptions import RedisError

from rooms.errors import SnapshotInvalid, StoreUnavailable
from rooms.interview import Happened, LiveInterview, Outcome
from rooms.room import commands as c
from rooms.store import codec
from rooms.store.client import redis_client
from rooms.store.journal import SNAPSHOT_EVERY, Journal
from tests.conditions import PATIENCE_S
from tests.redis_server import RedisServer
from tests.rooms.people import CANDIDATE, INTERVIEWER, SECOND, interview, seated


def note(journal: Journal, live: LiveInterview, outcomes: list[Outcome]) -> None:
    journal.note(live, [one for one in outcomes if isinstance(one, Happened)])


def begun(journal: Journal) -> LiveInterview:
    live = LiveInterview(interview())
    for person, round_id in ((INTERVIEWER, "r1"), (CANDIDATE, "r1"), (SECOND, "r2")):
        note(journal, live, live.enter(person, round_id, 0))
    return live


def states(live: LiveInterview) -> dict[str, object]:
    return {round_id: room.state for round_id, room in live.rooms.items()}


async def test_a_restarted_node_reads_the_same_state(redis):
    journal = Journal(redis)
    live = begun(journal)
    note(journal, live, live.submit(c.Admit("ida", "cai"), 1))
    note(journal, live, live.submit(c.Say("cai", "你好 <b>", "k"), 2))
    note(journal, live, live.hand_over("ida", "cai", None, 3))
    assert await journal.flush()
    again = await Journal(redis).load(live.spec)
    assert states(again) == states(live)
    assert again.moves == live.moves
    assert again.rooms["r1"].log == live.rooms["r1"].log
    again.take_back("ida", "cai", 4)
    assert again.room_of("cai").id == "r1"


async def test_events_after_a_snapshot_are_replayed(redis):
    journal = Journal(redis)
    live = begun(journal)
    for n in range(2 * SNAPSHOT_EVERY + 7):
        note(journal, live, live.submit(c.Say("ida", f"line {n}", f"k{n}"), n))
        if n % 9 == 0:
            assert await journal.flush()
    assert await journal.flush()
    again = await Journal(redis).load(live.spec)
    assert states(again) == states(live)
    assert again.rooms["r1"].since(live.rooms["r1"].state.seq - 150) is not None


async def test_an_unknown_interview_begins_empty(redis):
    assert states(await Journal(redis).load(interview())) == states(LiveInterview(interview()))


async def test_everything_stored_expires_some_day(redis):
    journal = Journal(redis)
    begun(journal)
    await journal.flush()
    keys = await redis.keys()
    assert keys
    assert all([await redis.ttl(key) > 24 * 3600 for key in keys])


async def test_noting_does_not_wait_and_the_writer_writes(redis, monkeypatch):
    journal, flushed = Journal(redis), asyncio.Event()

    async def flush() -> bool:
        done = await Journal.flush(journal)
        flushed.set()
        return done

    monkeypatch.setattr(journal, "flush", flush)
    writing = asyncio.create_task(journal.run())
    live = begun(journal)
    assert not journal.is_written("i1")
    await asyncio.wait_for(flushed.wait(), PATIENCE_S)
    assert journal.is_written("i1")
    writing.cancel()
    again = await Journal(redis).load(live.spec)
    assert states(again) == states(live)


async def test_a_lost_redis_costs_nothing_but_time(own_redis: RedisServer):
    async with redis_client(own_redis.url) as redis:
        journal = Journal(redis)
        live = begun(journal)
        own_redis.stop()
        assert not await journal.flush()
        assert journal.lost
        for n in range(SNAPSHOT_EVERY + 50):
            note(journal, live, live.submit(c.Say("ida", "while it was gone", f"k{n}"), n))
            if n % 40 == 0:
                assert not await journal.flush()
        held = journal._unwritten["i1"].events
        assert sum(len(events) for events in held.values()) < SNAPSHOT_EVERY
        with pytest.raises(StoreUnavailable):
            await journal.load(live.spec)
        own_redis.start()
        assert await journal.flush()
        assert not journal.lost
        assert journal.is_written("i1")
        again = await Journal(redis).load(live.spec)
        assert states(again) == states(live)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"nonsense", b"[]", b'{"format":1,"body":{"seq":"x"}}', b'{"format":99}', b"\xff"],
)
async def test_unreadable_state_does_not_lock_people_out(redis, garbage):
    journal = Journal(redis)
    live = begun(journal)
    await journal.flush()
    for key in await redis.keys("*:state") or [b"mianshi:live:{i1}:r1:state"]:
        await redis.set(key, garbage or b"{")
    await redis.set("mianshi:live:{i1}:moves", garbage or b"{")
    again = await Journal(redis).load(live.spec)
    again.enter(CANDIDATE, "r1", 5)
    assert again.room_of("cai") is not None


async def test_a_log_with_a_hole_is_not_believed(redis):
    journal = Journal(redis)
    live = begun(journal)
    await journal.flush()
    await redis.lpop("mianshi:live:{i1}:r1:log")
    again = await Journal(redis).load(live.spec)
    assert again.rooms["r1"].state.seq == 0
    assert again.rooms["r2"].state == live.rooms["r2"].state


@pytest.mark.parametrize(
    "garbage",
    [b"", b"1", b"{}", b'{"seq":1,"at_ms":1,"type":"Nope","event":{}}', b'{"seq":1,"type":"Left"}'],
)
def test_hostile_events(garbage):
    with pytest.raises(SnapshotInvalid):
        codec.decode_event(garbage)


def test_an_old_format_is_refused():
    with pytest.raises(SnapshotInvalid):
        codec.decode_state(b'{"format":0,"body":{}}')


async def test_a_redis_that_hangs_is_given_up(monkeypatch, redis):
    monkeypatch.setattr("rooms.store.journal.ANSWER_TIMEOUT_S", 0.05)
    await redis.execute_command("CLIENT", "PAUSE", "300")
    with pytest.raises(StoreUnavailable):
        await Journal(redis).load(seated((INTERVIEWER, "r1")).spec)


def test_redis_errors_are_what_the_journal_expects():
    from redis.exceptions import ConnectionError as Lost
    from redis.exceptions import ReadOnlyError

    assert issubclass(Lost, RedisError)
    assert issubclass(ReadOnlyError, RedisError)
