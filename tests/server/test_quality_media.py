"""The truth through the composed node: real packets that are missing, and who is told whose."""

from collections.abc import Callable
from datetime import timedelta

from hr.interviews.schemas import NewInterview
from server.app import Node
from server.durable import utc_now
from signaling.quality.judge import FALL_AFTER
from tests.server.conftest import Browser, Visitor
from tests.sfu.udp_client import UdpClient, offer_of, open_client, received


async def meeting(node: Node) -> dict[str, str]:
    """The links of a candidate and an observer who are inside without anybody's help."""
    now, people = utc_now(), ("candidate", "observer")
    interview = await node.services.interviews.create(
        NewInterview.model_validate(
            {
                "title": "质量",
                "starts_at": now,
                "ends_at": now + timedelta(hours=1),
                "rounds": [{"title": "初面", "admission": "automatic"}],
                "participants": [{"name": one, "role": one, "round": 0} for one in people],
            }
        )
    )
    issued = await node.services.links.issue_all(interview)
    return {one.role: issued[one.id].secret for one in interview.participants}


async def arrive(
    node: Node, device: Browser, visitor: Visitor, secret: str, tracks: dict[str, str]
) -> UdpClient:
    token = (await device.redeem(secret))["token"]
    await visitor.connect(token=token)
    client = await open_client(node.sfu.port)
    offer = offer_of(client.dtls.fingerprint)
    if not tracks:
        offer = offer.replace("a=sendonly", "a=inactive")
    reply = await visitor.call("media.offer", {"sdp": offer, "tracks": tracks})
    assert reply["ok"], reply
    await client.establish(reply["data"]["sdp"])
    return client


async def lose_every_fourth(client: UdpClient, listener: UdpClient) -> None:
    """Return when the listener has what was not lost: our server has counted it then."""
    for number in range(99):
        if number % 4:
            client.speak(b"sound")
        else:
            client._sequence += 1
    await received(listener, f"the last of {client._sequence}".encode(), client.speak)


async def test_a_lossy_uplink_is_told_to_both_ends(
    node: Node, browser: Callable[[], Browser], visitor: Callable[[], Visitor]
) -> None:
    links, sender, viewer = await meeting(node), visitor(), visitor()
    tracks = {"0": "microphone", "1": "camera"}
    candidate = await arrive(node, browser(), sender, links["candidate"], tracks)
    observer = await arrive(node, browser(), viewer, links["observer"], {})
    person = sender.last("welcome")["you"]["participant"]
    await received(observer, b"there", candidate.speak)
    quality = node.services.visits.quality
    await quality.sample()
    for _ in range(FALL_AFTER):
        assert viewer.last("quality.changed") is None
        await lose_every_fourth(candidate, observer)
        await quality.sample()
    told = await viewer.hear("quality.changed")
    assert (told["participant"], told["cause"], told["reason"]) == (person, "peer", "loss")
    assert (told["grade"], told["affects"]) == ("poor", "sending")
    assert 0.15 < told["facts"]["loss_up_ratio"] < 0.35
    assert (await sender.hear("quality.changed"))["cause"] == "self"
    # The room's mark follows, for everybody and for HR.
    await viewer.until(
        lambda: any(
            name == "event"
            and body["body"]["type"] == "participant.changed"
            and body["body"]["participant"]["quality"] == "poor"
            for name, body in viewer.notices
        )
    )
    candidate.close()
    observer.close()
