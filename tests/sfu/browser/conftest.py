"""Chromium pages with painted people, straight on an `Sfu`: no rooms, no signalling."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from loadtest.browser.chromium import chromium_path
from sfu.api import Sfu, SfuError
from tests.conditions import seen
from tests.sfu.recorder import Recorder

HERE = Path(__file__).parent
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
)
LOOK_FOR_S = 20.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Studio:
    """A media plane, a web server for the test page, and a browser."""

    def __init__(self, sfu: Sfu, recorder: Recorder, browser: Browser, url: str) -> None:
        self.sfu, self.recorder = sfu, recorder
        self._browser, self._url = browser, url

    async def enter(self, colour: str, hertz: int = 440, **options: int) -> "PersonInPage":
        context = await self._browser.new_context()
        page = await context.new_page()
        await page.goto(self._url)
        options = {"colour": colour, "hertz": hertz, "width": 960, "height": 540, **options}
        peer = await page.evaluate("(options) => enter(options)", options)
        return PersonInPage(page, peer)


class PersonInPage:
    def __init__(self, page: Page, peer: int) -> None:
        self.page, self.peer = page, peer

    async def ask(self, expression: str, argument: object = None) -> object:
        """Evaluate in the page; `person` is this person."""
        return await self.page.evaluate(expression, argument)

    async def colour(self, mid: str) -> str:
        return await self.ask("(mid) => person.colour(mid)", mid)

    async def frames(self, mid: str) -> int:
        report = await self.ask("(mid) => person.inbound(mid)", mid)
        return report.get("framesDecoded", 0) if report else 0

    async def until_colour(self, mid: str, colour: str) -> None:
        await until(lambda: self.colour(mid), lambda seen: seen == colour)

    async def until_frames(self, mid: str, more: int) -> None:
        before = await self.frames(mid)
        await until(lambda: self.frames(mid), lambda now: now >= before + more)


async def until(look, satisfied) -> None:
    """Wait for what a page shows; it decodes pictures at its own pace."""
    await seen(look, satisfied, LOOK_FOR_S)


def application(sfu: Sfu) -> web.Application:
    async def file(request: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / request.match_info["name"])

    async def offer(request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        try:
            if body["peer"] is not None:
                sdp = await sfu.renegotiate(body["peer"], body["sdp"], body["tracks"])
                return web.json_response({"peer": body["peer"], "sdp": sdp})
            answer = await sfu.connect(body["sdp"], body["tracks"])
        except SfuError as error:
            return web.json_response({"error": error.code})
        return web.json_response({"peer": answer.peer, "sdp": answer.sdp})

    app = web.Application()
    app.add_routes([web.get("/{name:page\\.(?:html|js)}", file), web.post("/offer", offer)])
    return app


@pytest.fixture
async def studio() -> AsyncIterator[Studio]:
    sfu, recorder = await Sfu.start(), Recorder()
    sfu.listen(recorder)
    runner = web.AppRunner(application(sfu))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield Studio(sfu, recorder, browser, f"http://127.0.0.1:{port}/page.html")
        await browser.close()
    await runner.cleanup()
    await sfu.close()
