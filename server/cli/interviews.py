"""`mianshi interviews`: schedule and look up."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.cli.output import AsJson, CommandError, run, say, settings

if TYPE_CHECKING:
    from hr.interviews.interview import Interview
    from hr.interviews.schemas import NewInterview

app = typer.Typer(help="Schedule interviews and look them up.", no_args_is_help=True)

People = Annotated[
    list[str] | None,
    typer.Option(help="NAME, or ROUND:NAME with the number of a round (1 is the first)."),
]


@app.command()
def create(
    *,
    title: Annotated[str, typer.Option(help="What the interview is for.")],
    round_: Annotated[
        list[str] | None, typer.Option("--round", help="A round's title; repeat in order.")
    ] = None,
    candidate: People = None,
    interviewer: People = None,
    observer: People = None,
    admission: Annotated[
        str, typer.Option(help="manual: the interviewer admits; automatic: no waiting.")
    ] = "manual",
    starts_at: Annotated[
        str | None,
        typer.Option(help="ISO 8601 with zone, e.g. 2027-01-31T09:00:00+08:00; by default now."),
    ] = None,
    minutes: Annotated[int, typer.Option(min=1, max=44640, help="Length.")] = 120,
    as_json: AsJson = False,
) -> None:
    """Schedule an interview and print each participant's link, which is shown this once."""
    from server.durable import utc_now  # noqa: PLC0415

    begins = utc_now() if starts_at is None else _moment(starts_at)
    people = [
        _person(role, given)
        for role, names in (
            ("candidate", candidate),
            ("interviewer", interviewer),
            ("observer", observer),
        )
        for given in names or ()
    ]
    body = run(
        _create(
            _new(
                title=title,
                rounds=round_,
                people=people,
                admission=admission,
                begins=begins,
                minutes=minutes,
            )
        )
    )
    lines = [f"{one['role']:<12} {one['name']:<20} {one['url']}" for one in body["participants"]]
    say(body, [f"interview    {body['id']}", *lines], as_json=as_json)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(
            f"--starts-at {text} is no time with a zone",
            "Write it as 2027-01-31T09:00:00+08:00",
        )
    return moment


def _person(role: str, given: str) -> dict[str, Any]:
    number, colon, name = given.partition(":")
    if colon and number.isdigit():
        if int(number) < 1:
            raise CommandError(f"There is no round {number}", "The first round is 1")
        return {"role": role, "name": name, "round": int(number) - 1}
    # Observers belong to all rounds; the others begin in the first.
    return {"role": role, "name": given, "round": None if role == "observer" else 0}


def _new(
    *,
    title: str,
    rounds: list[str] | None,
    people: list[dict[str, Any]],
    admission: str,
    begins: datetime,
    minutes: int,
) -> "NewInterview":
    from hr.interviews.schemas import NewInterview  # noqa: PLC0415

    return NewInterview.model_validate(
        {
            "title": title,
            "starts_at": begins,
            "ends_at": begins + timedelta(minutes=minutes),
            "rounds": [{"title": one, "admission": admission} for one in rounds or ["初面"]],
            "participants": people,
        }
    )


async def _create(new: "NewInterview") -> dict[str, Any]:
    from server.durable import open_durable, public_url  # noqa: PLC0415

    chosen = settings()
    base = public_url(chosen, chosen.http.port)
    async with open_durable(chosen) as durable:
        interview = await durable.interviews.create(new)
        issued = await durable.links.issue_all(interview)
    body = _body(interview)
    for one in body["participants"]:
        one["url"] = f"{base}/i/{issued[one['id']].secret}"
    return body


def _body(interview: "Interview") -> dict[str, Any]:
    return {
        "id": interview.id,
        "title": interview.title,
        "starts_at": interview.starts_at.isoformat(),
        "ends_at": interview.ends_at.isoformat(),
        "ended": interview.ended_at is not None,
        "rounds": [
            {"id": one.id, "title": one.title, "admission": one.admission}
            for one in interview.rounds
        ],
        "participants": [
            {"id": one.id, "name": one.name, "role": one.role, "round": one.round_id}
            for one in interview.participants
        ],
    }


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Interviews, latest start first."""
    found = run(_list(limit))
    lines = [f"{one['id']}  {one['starts_at']}  {one['title']}" for one in found]
    say({"interviews": found}, lines or ["no interviews yet"], as_json=as_json)


async def _list(limit: int) -> list[dict[str, Any]]:
    from server.durable import open_durable  # noqa: PLC0415

    async with open_durable(settings()) as durable:
        return [_body(one) for one in await durable.interviews.newest(limit)]


@app.command()
def show(
    interview: Annotated[str, typer.Argument(help="The interview's id.")], as_json: AsJson = False
) -> None:
    """One interview with its rounds and people."""
    body = run(_show(interview))
    lines = [f"{body['id']}  {body['title']}", f"{body['starts_at']} to {body['ends_at']}"]
    lines += [f"round        {one['title']} ({one['admission']})" for one in body["rounds"]]
    lines += [f"{one['role']:<12} {one['name']}  {one['id']}" for one in body["participants"]]
    say(body, lines, as_json=as_json)


async def _show(interview_id: str) -> dict[str, Any]:
    from server.durable import open_durable  # noqa: PLC0415

    async with open_durable(settings()) as durable:
        return _body(await durable.interviews.get(interview_id))
