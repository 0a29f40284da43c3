"""How long from the tap to the first decoded picture of the person who is already there."""

from dataclasses import dataclass

from playwright.sync_api import Page

from loadtest.browser.chromium import Chromiums, open_chromiums
from loadtest.browser.clips import PEOPLE
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import join, marked
from loadtest.interviews import create_interview
from loadtest.percentiles import Percentiles, percentiles
from loadtest.server_process import ServerProcess, serve

P50_LIMIT_MS = 400.0
P95_LIMIT_MS = 800.0


@dataclass(frozen=True, slots=True)
class JoinReport:
    """Milliseconds from the tap on *join* to the first decoded frame of the other's camera."""

    first_frame_ms: Percentiles

    @property
    def passed(self) -> bool:
        """Whether the limits of the product hold."""
        return self.first_frame_ms.p50 <= P50_LIMIT_MS and self.first_frame_ms.p95 <= P95_LIMIT_MS

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "first_frame_ms": self.first_frame_ms.as_dict(),
            "limits": {"p50": P50_LIMIT_MS, "p95": P95_LIMIT_MS},
            "pass": self.passed,
        }


def _one_join(page: Page, url: str) -> float:
    """Open the link, wait until the check screen shows the camera, tap, and see the first frame."""
    page.goto(url)
    page.wait_for_selector(marked("join"))
    page.wait_for_function(
        "() => [...document.querySelectorAll('video')].some((v) => v.videoWidth)"
    )
    page.click(marked("join"))
    page.wait_for_function("() => __probe.frames.length > 0", polling=50)
    first_ms: float = page.evaluate(
        "() => __probe.frames[0].at_ms - __probe.taps.find((tap) => tap.testid === 'join').at_ms"
    )
    page.click(marked("leave"))
    confirm = page.locator(marked("confirm"))
    if confirm.count():
        confirm.click()
    page.wait_for_selector(marked("self-view"), state="detached")
    return first_ms


def _measure(server: ServerProcess, chromiums: Chromiums, joins: int) -> list[float]:
    interviewer, candidate = PEOPLE[:2]
    links = create_interview(server, admission="automatic")
    host = join(chromiums, interviewer, links.interviewer)
    context = chromiums.context(candidate, phone=True)
    context.grant_permissions(["camera", "microphone"], origin=server.origin)
    page = context.new_page()
    _one_join(page, links.candidate)  # the browser's and the server's first handshake is slower
    wait_for_people(host, set())
    return [_one_join(page, links.candidate) for _ in range(joins)]


def run(joins: int = 30) -> JoinReport:
    """Measure on a server and with browsers of our own, all on loopback.

    Raises LoadtestError when the server or Chromium cannot be had.
    """
    with serve() as server, open_chromiums() as chromiums:
        return JoinReport(percentiles(_measure(server, chromiums, joins)))
