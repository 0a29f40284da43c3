"""Quality records on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hr.database import Database
from hr.interviews.interview import Interview
from hr.interviews.service import InterviewService
from hr.quality.record import KEPT_FOR, MAX_SITTINGS, QualityPoint, QualitySitting
from hr.quality.schemas import quality_out
from hr.quality.service import QualityService
from tests.hr.conftest import START, Clock, two_rounds


@pytest.fixture
def quality(database: Database, clock: Clock) -> QualityService:
    return QualityService(database, clock)


def sitting(interview: Interview, person: int = 0, **changes: object) -> QualitySitting:
    plain = QualitySitting(
        id="sitting_1",
        interview_id=interview.id,
        participant_id=interview.participants[person].id,
        begun_at=START,
        seen_at=START + timedelta(minutes=10),
        ended=False,
        path="udp",
        join_ms=350,
        first_frame_ms=600,
        reconnects=0,
        freezes=0,
        frozen_ms=0,
        watched_ms=600_000,
        concealed_ms=0,
        heard_ms=500_000,
        good_ms=600_000,
        fair_ms=0,
        poor_ms=0,
        lost_ms=0,
        server_ms=0,
        rtt_ms=45,
        loss_up_ratio=0.001,
        loss_down_ratio=None,
        step_ms=10_000,
        points=(QualityPoint(0, 1200, 900, 4000, 720, 360, "good"),),
    )
    return replace(plain, **changes)


async def test_it_reads_what_was_kept(quality: QualityService, interview: Interview) -> None:
    kept = sitting(interview)
    await quality.keep([kept])
    assert await quality.of_interview(interview) == [kept]


async def test_keeping_again_replaces(quality: QualityService, interview: Interview) -> None:
    await quality.keep([sitting(interview)])
    later = sitting(interview, ended=True, freezes=3, watched_ms=10**12)
    await quality.keep([later])
    assert await quality.of_interview(interview) == [later]


async def test_people_of_nowhere_are_left_out(
    quality: QualityService, interview: Interview, interviews: InterviewService
) -> None:
    other = await interviews.create(two_rounds())
    await quality.keep(
        [
            sitting(interview, id="s1"),
            sitting(interview, id="s2", participant_id="person_unknown"),
            sitting(interview, id="s3", interview_id="interview_unknown"),
            # Of another interview than said.
            sitting(interview, id="s4", interview_id=other.id),
        ]
    )
    assert [one.id for one in await quality.of_interview(interview)] == ["s1"]
    assert await quality.of_interview(other) == []


async def test_another_organisation_keeps_and_reads_nothing(
    database: Database, clock: Clock, quality: QualityService, interview: Interview
) -> None:
    stranger = QualityService(database, clock, "other")
    await stranger.keep([sitting(interview)])
    assert await quality.of_interview(interview) == []
    await quality.keep([sitting(interview)])
    assert await stranger.of_interview(interview) == []
    assert await stranger.lines([interview]) == {}
    clock.pass_time(days=4000)
    assert await stranger.forget_old() == 0


async def test_whoever_comes_and_goes_is_recorded_up_to_a_limit(
    quality: QualityService, interview: Interview
) -> None:
    many = [sitting(interview, id=f"s{n}", points=()) for n in range(MAX_SITTINGS + 20)]
    await quality.keep(many[:60])
    await quality.keep(many[60:])
    assert len(await quality.of_interview(interview)) == MAX_SITTINGS
    # What is recorded already goes on, and so do others.
    await quality.keep([replace(many[0], freezes=7), sitting(interview, 1, id="hers")])
    found = {one.id: one for one in await quality.of_interview(interview)}
    assert found["s0"].freezes == 7
    assert "hers" in found


async def test_records_are_forgotten_in_time(
    quality: QualityService, interview: Interview, clock: Clock
) -> None:
    await quality.keep([sitting(interview)])
    clock.pass_time(seconds=KEPT_FOR.total_seconds())
    assert await quality.forget_old() == 0
    clock.pass_time(minutes=11)
    assert await quality.forget_old() == 1
    assert await quality.of_interview(interview) == []


# The sentence.


async def test_nobody_was_there(quality: QualityService, interview: Interview) -> None:
    assert await quality.lines([interview]) == {}
    assert quality_out(interview, []).line is None


async def test_all_was_well(quality: QualityService, interview: Interview) -> None:
    await quality.keep([sitting(interview, id="a"), sitting(interview, 1, id="b")])
    line = (await quality.lines([interview]))[interview.id]
    assert line.zh == "连接良好(2 人),首个画面 0.6 秒。"
    assert line.en == "Good connections (2 people), first picture after 0.6 s."


async def test_the_persons_network_is_not_the_persons_doing(
    quality: QualityService, interview: Interview
) -> None:
    bad = sitting(
        interview,
        good_ms=500_000,
        poor_ms=60_000,
        fair_ms=40_000,
        freezes=3,
        frozen_ms=4_200,
        reconnects=1,
        concealed_ms=50_000,
    )
    await quality.keep([bad, sitting(interview, 1, id="b")])
    line = (await quality.lines([interview]))[interview.id]
    assert line.zh == (
        "李明(候选人)连接不稳:10% 的时间连接较差,画面卡顿 3 次共 4.2 秒,10% 的声音受损,重连 1 次。"
        "原因在网络或设备,与本人表现无关。"
    )
    assert line.en == (
        "李明 (candidate): poor for 10% of the time, 3 freezes (4.2 s), 10% of the sound damaged, "
        "1 reconnect. The network or the device did that, not they."
    )


async def test_the_server_says_when_it_was_at_fault(
    quality: QualityService, interview: Interview
) -> None:
    await quality.keep([sitting(interview, poor_ms=60_000, server_ms=60_000)])
    line = (await quality.lines([interview]))[interview.id]
    assert line.zh.endswith("原因在服务器。")
    assert line.en.endswith("The server was the cause.")


async def test_presences_of_one_person_add_up(
    quality: QualityService, interview: Interview
) -> None:
    await quality.keep(
        [
            sitting(interview, id="a", first_frame_ms=500, freezes=1),
            sitting(interview, id="b", first_frame_ms=None, freezes=2, lost_ms=600_000, good_ms=0),
            sitting(interview, id="c", first_frame_ms=900, begun_at=START + timedelta(hours=1)),
        ]
    )
    [person] = quality_out(interview, await quality.of_interview(interview)).participants
    assert (person.freezes, person.first_frame_ms, len(person.sittings)) == (3, 900, 3)
    assert (person.present_ms, person.troubled_ratio) == (1_800_000, 0.3333)
    assert person.name == "李明"


async def test_each_presence_is_given_with_its_shares(
    quality: QualityService, interview: Interview
) -> None:
    await quality.keep([sitting(interview, frozen_ms=100_000, concealed_ms=50_000)])
    [person] = quality_out(interview, await quality.of_interview(interview)).participants
    [one] = person.sittings
    assert (one.freeze_ratio, one.concealed_ratio) == (0.1667, 0.1)
    assert (one.begun_at, one.path, one.rtt_ms, one.good_ms) == (START, "udp", 45, 600_000)
    assert [point.model_dump() for point in one.points] == [
        {
            "at_s": 0,
            "up_kbps": 1200,
            "down_kbps": 900,
            "estimate_kbps": 4000,
            "sent_height": 720,
            "shown_height": 360,
            "grade": "good",
        }
    ]
