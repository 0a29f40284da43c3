"""`mianshi links`: give out and withdraw."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.output import AsJson, run, say, settings

if TYPE_CHECKING:
    from config import Settings
    from hr.links.link import Link

app = typer.Typer(help="Give out links and withdraw them.", no_args_is_help=True)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """Links, newest first. Their secrets are not kept, so they cannot be shown again."""
    found = run(_list(limit))
    lines = [
        f"{one['id']}  {one['state']:<12} {one['for']:<12} {one['expires_at']}" for one in found
    ]
    say({"links": found}, lines or ["no links yet"], as_json=as_json)


async def _list(limit: int) -> list[dict[str, Any]]:
    from server.durable import open_durable, utc_now  # noqa: PLC0415

    async with open_durable(settings()) as durable:
        links = await durable.links.newest(limit)
    return [_body(one, one.state(utc_now(), None, ended=False)) for one in links]


def _body(link: "Link", state: str) -> dict[str, Any]:
    return {
        "id": link.id,
        "for": link.audience,
        "interview": link.interview_id,
        "participant": link.participant_id,
        "state": "bound" if state == "other_device" else state,
        "expires_at": link.expires_at.isoformat(),
    }


@app.command()
def new(
    interview: Annotated[str, typer.Argument(help="The interview's id.")],
    participant: Annotated[str, typer.Argument(help="The participant's id.")],
    as_json: AsJson = False,
) -> None:
    """A new link for a participant; the one before is revoked."""
    body = run(_new(interview, participant))
    say(body, [body["url"]], as_json=as_json)


async def _new(interview_id: str, participant_id: str) -> dict[str, Any]:
    from server.durable import open_durable, public_url  # noqa: PLC0415

    chosen = settings()
    async with open_durable(chosen) as durable:
        interview = await durable.interviews.get(interview_id)
        issued = await durable.links.issue(interview, participant_id)
    await _tell_nodes(chosen)
    base = public_url(chosen, chosen.http.port)
    return {"id": issued.link.id, "url": f"{base}/i/{issued.secret}"}


@app.command()
def hr(
    name: Annotated[str, typer.Argument(help="Who it is for.")], as_json: AsJson = False
) -> None:
    """A new link into the HR page."""
    body = run(_hr(name))
    say(body, [body["url"]], as_json=as_json)


async def _hr(name: str) -> dict[str, Any]:
    from server.durable import open_durable, public_url  # noqa: PLC0415

    chosen = settings()
    async with open_durable(chosen) as durable:
        issued = await durable.links.issue_hr(name[:120])
    base = public_url(chosen, chosen.http.port)
    return {"id": issued.link.id, "url": f"{base}/hr/{issued.secret}"}


@app.command()
def revoke(
    link: Annotated[str, typer.Argument(help="The link's id, as in `links list`.")],
    as_json: AsJson = False,
) -> None:
    """Withdraw a link: it opens nothing any more, and a visit that it led to ends at once."""
    told = run(_revoke(link))
    lines = [f"{link} is revoked"]
    if not told:
        lines.append("No running node could be told; one that runs notices within 15 s.")
    say({"id": link, "state": "revoked", "nodes_told": told}, lines, as_json=as_json)


async def _revoke(link_id: str) -> bool:
    from server.durable import open_durable  # noqa: PLC0415

    chosen = settings()
    async with open_durable(chosen) as durable:
        await durable.links.revoke(link_id)
    return await _tell_nodes(chosen)


async def _tell_nodes(chosen: "Settings") -> bool:
    """Whether the nodes of this installation were told to look; without one, there is no Redis."""
    from rooms.errors import StoreUnavailable  # noqa: PLC0415
    from rooms.store.client import redis_client  # noqa: PLC0415
    from rooms.store.link_news import LinkNews  # noqa: PLC0415
    from server.private_redis import socket_path  # noqa: PLC0415

    configured = chosen.storage.redis_url
    private = f"unix://{socket_path(chosen.storage.data_dir / 'redis')}"
    url = private if configured is None else configured.get_secret_value()
    redis = redis_client(url)
    try:
        await LinkNews(redis).tell()
    except StoreUnavailable:
        return False
    finally:
        await redis.aclose()
    return True
