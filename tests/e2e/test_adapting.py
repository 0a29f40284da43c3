"""Pictures follow how they are drawn and what people want to spend, between real browsers."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from loadtest.browser.browsers import DESKTOP, Browsers
from loadtest.browser.clips import PEOPLE
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import admit, join, marked
from loadtest.interviews import InterviewLinks

CANDIDATE, INTERVIEWER = PEOPLE[:2]
Interview = Callable[..., InterviewLinks]

_SENT = """() => {
  const [connection] = __probe.connections.slice(-1);
  const camera = connection.getTransceivers().find(
    ({ sender }) => sender.getParameters().encodings.some(({ rid }) => rid === 'q'));
  return camera.sender.getParameters().encodings
    .filter(({ active }) => active).map(({ rid }) => rid).join('');
}"""


@pytest.fixture(scope="module")
def camera() -> tuple[int, int]:
    """720 lines, which is two layers: q with 360 and h with all."""
    return 1280, 720


def sends(page: Page, rids: str) -> None:
    """The page's camera is sent in exactly these layers, now or within a few seconds."""
    page.wait_for_function(f"(rids) => ({_SENT})() === rids", arg=rids, timeout=10_000)


def meet(browsers: Browsers, links: InterviewLinks) -> tuple[Page, Page]:
    interviewer = join(browsers, INTERVIEWER, links.interviewer)
    candidate = join(browsers, CANDIDATE, links.candidate, phone=True)
    admit(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    return interviewer, candidate


def test_a_layer_rests_while_nobody_draws_it_and_comes_back(
    browsers: Browsers, interview: Interview
) -> None:
    interviewer, candidate = meet(browsers, interview())
    sends(candidate, "qh")
    interviewer.set_viewport_size({"width": 400, "height": 420})
    sends(candidate, "q")
    interviewer.set_viewport_size(DESKTOP)
    sends(candidate, "qh")
    wait_for_people(interviewer, {CANDIDATE})


def test_saving_data_shrinks_what_is_sent_and_what_is_received(
    browsers: Browsers, interview: Interview
) -> None:
    interviewer, candidate = meet(browsers, interview())
    sends(candidate, "qh")
    candidate.click(marked("quality"))
    candidate.click(marked("data-saver"))
    expect(candidate.locator(marked("data-saver"))).to_have_attribute("aria-checked", "true")
    sends(candidate, "q")
    sends(interviewer, "q")
    candidate.reload()
    wait_for_people(candidate, {INTERVIEWER})
    sends(candidate, "q")
    candidate.click(marked("quality"))
    candidate.click(marked("data-saver"))
    sends(candidate, "qh")
    sends(interviewer, "qh")


def test_the_connection_is_shown_in_figures(browsers: Browsers, interview: Interview) -> None:
    _, candidate = meet(browsers, interview())
    candidate.click(marked("quality"))
    candidate.click(marked("connection-details"))
    for name, figure in (("rtt", r"^\d+ ms$"), ("receivedBps", r"^\d"), ("path", "UDP")):
        shown = candidate.locator(f"[data-figure={name}]")
        expect(shown).to_have_text(re.compile(figure), timeout=10_000)
