"""`mianshi keys`: signing keys and API keys."""

from typing import Annotated, Any

import typer

from server.cli.output import AsJson, CommandError, run, say, settings

app = typer.Typer(help="Signing keys and API keys.", no_args_is_help=True)


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Sign with a new key from now on; what older keys signed stays valid until it expires."""
    from server.durable import utc_now  # noqa: PLC0415
    from server.security import keyring  # noqa: PLC0415

    rotated = keyring.rotate(settings().storage.keys_file, utc_now())
    body = {"kid": rotated.signing.kid, "keys": len(rotated.keys)}
    say(body, [f"{body['kid']} signs now; {body['keys']} keys verify"], as_json=as_json)


@app.command("create-api")
def create_api(
    name: Annotated[str, typer.Argument(help="What the key is for.")], as_json: AsJson = False
) -> None:
    """A key for programs that call the HR API; shown this once."""
    body = run(_create_api(name))
    say(body, [body["key"]], as_json=as_json)


async def _create_api(name: str) -> dict[str, Any]:
    from server.durable import open_durable  # noqa: PLC0415

    async with open_durable(settings()) as durable:
        made = await durable.api_keys.create(name[:120])
    return {"id": made.key.id, "key": made.secret}


@app.command("list-api")
def list_api(as_json: AsJson = False) -> None:
    """The API keys, without their secrets."""
    found = run(_list_api())
    lines = [
        f"{one['id']}  {'revoked' if one['revoked'] else 'in force':<9} {one['name']}"
        for one in found
    ]
    say({"keys": found}, lines or ["no API keys yet"], as_json=as_json)


async def _list_api() -> list[dict[str, Any]]:
    from server.durable import open_durable  # noqa: PLC0415

    async with open_durable(settings()) as durable:
        keys = await durable.api_keys.all()
    return [{"id": one.id, "name": one.name, "revoked": one.revoked_at is not None} for one in keys]


@app.command("revoke-api")
def revoke_api(
    key: Annotated[str, typer.Argument(help="The key's id, as in `keys list-api`.")],
    as_json: AsJson = False,
) -> None:
    """Withdraw an API key."""
    if not run(_revoke_api(key)):
        raise CommandError(f"There is no API key {key} in force", "See `mianshi keys list-api`")
    say({"id": key, "revoked": True}, [f"{key} is revoked"], as_json=as_json)


async def _revoke_api(key_id: str) -> bool:
    from server.durable import open_durable  # noqa: PLC0415

    async with open_durable(settings()) as durable:
        return await durable.api_keys.revoke(key_id)
