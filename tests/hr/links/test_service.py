"""Links: who gets in on which device, when, and who does not."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from hr.database import Database
from hr.errors import HrError
from hr.interviews.errors import InterviewEndedError, ParticipantUnknownError
from hr.interviews.interview import Interview
from hr.interviews.service import InterviewService
from hr.links.errors import (
    LinkEarlyError,
    LinkEndedError,
    LinkExpiredError,
    LinkNotAskableError,
    LinkOtherDeviceError,
    LinkRevokedError,
    LinkUnknownError,
)
from hr.links.link import EARLY_ENTRY, LATE_ENTRY, SECRET_CHARS, new_secret, secret_hash
from hr.links.models import LinkRow
from hr.links.service import LinkService
from tests.hr.conftest import Clock

PHONE, LAPTOP = "phone-" + "a" * 37, "laptop-" + "b" * 36


@pytest.fixture
async def secret(links: LinkService, interview: Interview) -> str:
    return (await links.issue(interview, interview.participants[0].id)).secret


async def test_secrets_are_long_random_and_kept_only_as_hashes(
    links: LinkService, database: Database, interview: Interview
) -> None:
    issued = await links.issue_all(interview)
    secrets = {one.secret for one in issued.values()}
    assert len(secrets) == len(interview.participants)
    assert all(len(one) == SECRET_CHARS for one in secrets)
    async with database.read() as session:
        rows = (await session.execute(select(LinkRow))).scalars().all()
    kept = " ".join(str(vars(row)) for row in rows)
    assert not any(one in kept for one in secrets)
    assert {row.secret_hash for row in rows} == {secret_hash(one) for one in secrets}
    assert not any(one in repr(issued) for one in secrets)


async def test_looking_changes_nothing(links: LinkService, secret: str) -> None:
    for _ in range(3):
        assert (await links.look(secret, None)).state == "open"
    opened = await links.redeem(secret, PHONE)
    assert opened.participant is not None
    assert opened.participant.role == "candidate"


async def test_the_first_device_keeps_the_link(links: LinkService, secret: str) -> None:
    await links.redeem(secret, PHONE)
    await links.redeem(secret, PHONE)  # a reload
    with pytest.raises(LinkOtherDeviceError):
        await links.redeem(secret, LAPTOP)
    assert (await links.look(secret, PHONE)).state == "open"
    assert (await links.look(secret, LAPTOP)).state == "other_device"
    assert (await links.look(secret, None)).state == "other_device"


async def test_of_two_devices_that_race_one_wins(links: LinkService, secret: str) -> None:
    devices = [f"device-{number}-" + "x" * 32 for number in range(6)]
    results = await asyncio.gather(
        *(links.redeem(secret, device) for device in devices), return_exceptions=True
    )
    refused = [one for one in results if isinstance(one, BaseException)]
    assert len(refused) == len(devices) - 1
    assert all(isinstance(one, LinkOtherDeviceError) for one in refused)


async def test_a_refused_device_asks_and_is_let_in(
    links: LinkService, interview: Interview, secret: str
) -> None:
    candidate = interview.participants[0].id
    with pytest.raises(LinkNotAskableError):
        await links.ask(secret, PHONE)
    await links.redeem(secret, PHONE)
    with pytest.raises(LinkNotAskableError):
        await links.ask(secret, PHONE)
    await links.ask(secret, LAPTOP)
    assert (await links.in_force([interview]))[candidate].asked_at is not None
    await links.release(interview, candidate)
    after = (await links.in_force([interview]))[candidate]
    assert (after.asked_at, after.device_hash) == (None, None)
    await links.redeem(secret, LAPTOP)
    with pytest.raises(LinkOtherDeviceError):
        await links.redeem(secret, PHONE)


async def test_a_new_link_revokes_the_one_before(
    links: LinkService, interview: Interview, secret: str
) -> None:
    first = (await links.redeem(secret, PHONE)).link.id
    newer = await links.issue(interview, interview.participants[0].id)
    with pytest.raises(LinkRevokedError):
        await links.redeem(secret, PHONE)
    assert not await links.still_open(first)
    await links.redeem(newer.secret, LAPTOP)
    assert await links.still_open(newer.link.id)


async def test_a_revoked_link_opens_nothing(links: LinkService, secret: str) -> None:
    link = (await links.look(secret, None)).link
    await links.revoke(link.id)
    await links.revoke(link.id)
    assert (await links.look(secret, None)).state == "revoked"
    with pytest.raises(LinkRevokedError):
        await links.redeem(secret, PHONE)
    assert not await links.still_open(link.id)
    with pytest.raises(LinkUnknownError):
        await links.revoke("link_none")


async def test_the_window(links: LinkService, interview: Interview, clock: Clock) -> None:
    issued = await links.issue(interview, interview.participants[0].id)
    clock.now = interview.starts_at - EARLY_ENTRY - timedelta(seconds=1)
    with pytest.raises(LinkEarlyError):
        await links.redeem(issued.secret, PHONE)
    clock.pass_time(seconds=1)
    await links.redeem(issued.secret, PHONE)
    clock.now = interview.ends_at + LATE_ENTRY - timedelta(seconds=1)
    await links.redeem(issued.secret, PHONE)
    clock.pass_time(seconds=1)
    with pytest.raises(LinkExpiredError):
        await links.redeem(issued.secret, PHONE)
    assert not await links.still_open(issued.link.id)


async def test_an_ended_interview(
    links: LinkService, interviews: InterviewService, interview: Interview, secret: str
) -> None:
    await interviews.end(interview.id)
    assert (await links.look(secret, None)).state == "ended"
    with pytest.raises(LinkEndedError):
        await links.redeem(secret, PHONE)
    with pytest.raises(InterviewEndedError):
        await links.issue(await interviews.get(interview.id), interview.participants[0].id)


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "x",
        "0" * 500,
        "é" * 32,
        "\x00" * 32,
        "' OR 1=1 --".ljust(32),
        "\ud800" * 32,
        new_secret(),
    ],
)
async def test_forged_links(links: LinkService, secret: str, forged: str) -> None:
    with pytest.raises(LinkUnknownError):
        await links.look(forged, None)
    with pytest.raises(LinkUnknownError):
        await links.redeem(forged, PHONE)
    with pytest.raises(LinkUnknownError):
        await links.ask(forged, PHONE)


async def test_hr_links_lead_to_no_interview(links: LinkService, clock: Clock) -> None:
    issued = await links.issue_hr("张经理", timedelta(days=1))
    opened = await links.redeem(issued.secret, LAPTOP)
    assert (opened.interview, opened.participant) == (None, None)
    assert opened.link.audience == "hr"
    assert "张经理" not in repr(opened)
    clock.pass_time(days=1)
    with pytest.raises(LinkExpiredError):
        await links.redeem(issued.secret, LAPTOP)


async def test_other_organisations_cannot_touch_a_link(
    database: Database, clock: Clock, interview: Interview, links: LinkService, secret: str
) -> None:
    foreign = LinkService(database, clock, "other")
    link = (await links.redeem(secret, PHONE)).link
    for attempt in (
        foreign.revoke(link.id),
        foreign.issue(interview, interview.participants[0].id),
    ):
        with pytest.raises(HrError):
            await attempt
    await foreign.release(interview, interview.participants[0].id)
    assert (await foreign.in_force([interview])) == {}
    assert not await foreign.still_open(link.id)
    with pytest.raises(LinkOtherDeviceError):
        await links.redeem(secret, LAPTOP)


async def test_strangers_have_no_links(links: LinkService, interview: Interview) -> None:
    with pytest.raises(ParticipantUnknownError):
        await links.issue(interview, "person_none")
    with pytest.raises(ParticipantUnknownError):
        await links.release(interview, "person_none")
    ghost = replace(interview, participants=(replace(interview.participants[0], id="ghost"),))
    with pytest.raises(ParticipantUnknownError):
        await links.issue(ghost, "ghost")
