#!/usr/bin/env -S python3 -P
"""Starts Firefox as Playwright would, and stands between the two on Firefox's BiDi socket.

Playwright sends every new context one command that Firefox ESR does not know yet, and gives up
when it is refused. The relay answers that one itself; everything else passes as it is.
"""

import asyncio
import json
import os
import re
import sys

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

FIREFOX = "MIANSHI_FIREFOX"
"""The environment variable with the path of the real Firefox."""

_UNKNOWN_TO_ESR = "emulation.setMediaFeaturesOverride"
_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")


async def _carry_commands(driver: web.WebSocketResponse, firefox: ClientWebSocketResponse) -> None:
    async for message in driver:
        if message.type is not WSMsgType.TEXT:
            break
        command = json.loads(message.data)
        if command["method"] == _UNKNOWN_TO_ESR:
            await driver.send_json({"type": "success", "id": command["id"], "result": {}})
        else:
            await firefox.send_str(message.data)
    await firefox.close()


async def _carry_answers(firefox: ClientWebSocketResponse, driver: web.WebSocketResponse) -> None:
    async for message in firefox:
        if message.type is not WSMsgType.TEXT:
            break
        await driver.send_str(message.data)
    await driver.close()


class _Relay:
    """One driver on one Firefox, whose address comes with Firefox's own announcement."""

    def __init__(self) -> None:
        self.firefox_url = ""

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        driver = web.WebSocketResponse(max_msg_size=0)
        await driver.prepare(request)
        url = self.firefox_url + request.path
        async with ClientSession() as client, client.ws_connect(url, max_msg_size=0) as firefox:
            await asyncio.gather(_carry_commands(driver, firefox), _carry_answers(firefox, driver))
        return driver


async def _run(arguments: list[str]) -> int:
    relay, application = _Relay(), web.Application()
    application.router.add_get("/session", relay.serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    firefox = await asyncio.create_subprocess_exec(
        os.environ[FIREFOX], *arguments, stderr=asyncio.subprocess.PIPE
    )
    assert firefox.stderr is not None, "it was asked for"
    async for line in firefox.stderr:
        said = line
        if found := _LISTENING.search(line):
            relay.firefox_url = found[1].decode()
            said = b"WebDriver BiDi listening on ws://127.0.0.1:%d\n" % port
        sys.stderr.buffer.write(said)
        sys.stderr.flush()
    await runner.cleanup()
    return await firefox.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(_run(sys.argv[1:])))
