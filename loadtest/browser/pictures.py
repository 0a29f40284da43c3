"""The README's pictures, made anew from the real product: `python -m loadtest.browser.pictures`."""

from pathlib import Path

from playwright.sync_api import Page

from loadtest.browser.chromium import Chromiums, open_chromiums
from loadtest.browser.clips import PEOPLE
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import admit, join, marked
from loadtest.server_process import ServerProcess, serve

FOLDER = Path(__file__).parents[2] / "docs" / "images"

_CANDIDATE, _INTERVIEWER = PEOPLE[0], PEOPLE[1]
_TALK = ("你好，请先用一分钟介绍一下自己。", "好的，谢谢！")


def _say(page: Page, text: str) -> None:
    page.fill(marked("chat-input"), text)
    page.click(marked("chat-send"))


def _take(server: ServerProcess, chromiums: Chromiums, folder: Path) -> None:
    interviewer = join(chromiums, _INTERVIEWER, server.links["interviewer"])
    candidate = join(chromiums, _CANDIDATE, server.links["candidate"], phone=True)
    admit(interviewer)
    wait_for_people(candidate, {_INTERVIEWER})
    wait_for_people(interviewer, {_CANDIDATE})
    for page, text in zip((interviewer, candidate), _TALK, strict=True):
        page.click(marked("chat-open"))
        _say(page, text)
    candidate.click(marked("sheet-close"))
    interviewer.locator(marked("chat-message")).nth(1).wait_for()
    candidate.wait_for_timeout(8_000)  # the notes of who came have gone by then
    candidate.click(marked("reaction-like"))
    interviewer.wait_for_selector(marked("reaction-shown"))
    interviewer.wait_for_timeout(400)  # the reaction has risen over the picture
    interviewer.screenshot(path=folder / "interview.png")
    interviewer.click(marked("reaction-clap"))
    candidate.wait_for_selector(marked("reaction-shown"))
    candidate.wait_for_timeout(400)
    candidate.screenshot(path=folder / "candidate.png")


def take_pictures(folder: Path = FOLDER) -> None:
    """Write `interview.png` and `candidate.png` into the folder.

    Raises LoadtestError when the server or Chromium cannot be had.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with serve() as server, open_chromiums() as chromiums:
        _take(server, chromiums, folder)


if __name__ == "__main__":
    take_pictures()
