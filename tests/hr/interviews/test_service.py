"""Interviews on both databases."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from hr.database import Database
from hr.interviews.errors import InterviewUnknownError
from hr.interviews.service import InterviewService
from tests.hr.conftest import START, Clock, two_rounds


async def test_what_was_created_is_read_back(interviews: InterviewService) -> None:
    created = await interviews.create(two_rounds())
    assert await interviews.get(created.id) == created
    assert [one.title for one in created.rounds] == ["初面", "复面"]
    assert [one.admission for one in created.rounds] == ["manual", "automatic"]
    candidate, first, second, observer = created.participants
    assert created.round_of(first) == created.rounds[0]
    assert created.round_of(second) == created.rounds[1]
    assert observer.round_id is None
    assert candidate.name not in repr(candidate)


async def test_an_unknown_interview_and_another_organisations(
    database: Database, clock: Clock, interviews: InterviewService
) -> None:
    with pytest.raises(InterviewUnknownError):
        await interviews.get("interview_none")
    foreign = await InterviewService(database, clock, "other").create(two_rounds())
    with pytest.raises(InterviewUnknownError):
        await interviews.get(foreign.id)
    await interviews.end(foreign.id)
    kept = await InterviewService(database, clock, "other").get(foreign.id)
    assert kept.ended_at is None
    assert await interviews.newest(10) == []


async def test_paging_meets_every_interview_once(interviews: InterviewService) -> None:
    made = [
        await interviews.create(
            two_rounds(
                starts_at=START + timedelta(hours=number // 2),
                ends_at=START + timedelta(hours=30),
            )
        )
        for number in range(5)
    ]
    seen: list[str] = []
    before = None
    while page := await interviews.newest(2, before):
        seen += [one.id for one in page]
        before = (page[-1].starts_at, page[-1].id)
    assert sorted(seen) == sorted(one.id for one in made)
    assert len(seen) == len(set(seen))


async def test_ending_keeps_the_first_time(interviews: InterviewService, clock: Clock) -> None:
    made = await interviews.create(two_rounds())
    clock.pass_time(hours=1)
    await interviews.end(made.id)
    first = (await interviews.get(made.id)).ended_at
    clock.pass_time(hours=1)
    await interviews.end(made.id)
    assert first == START + timedelta(hours=1)
    assert (await interviews.get(made.id)).ended_at == first


@pytest.mark.parametrize(
    "changes",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"title": "a\x00b"},
        {"title": "a\nb"},
        {"title": "   "},
        {"starts_at": START.replace(tzinfo=None)},
        {"ends_at": START},
        {"ends_at": START + timedelta(days=32)},
        {"rounds": ()},
        {"rounds": [{"title": "r"}] * 21},
        {"rounds": [{"title": "r", "admission": "sometimes"}]},
        {"participants": [{"name": "x", "role": "boss"}]},
        {"participants": [{"name": "x", "role": "candidate", "round": 2}]},
        {"participants": [{"name": "x", "role": "candidate", "round": -1}]},
        {"participants": [{"name": "x", "role": "candidate"}] * 201},
        {"colour": "blue"},
    ],
)
def test_what_makes_no_interview(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        two_rounds(**changes)
