"""An interview from the link to the end, between real browsers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from loadtest.browser.browsers import Browsers
from loadtest.browser.clips import PEOPLE, Person
from loadtest.browser.people import people_seen, wait_for_people
from loadtest.browser.visit import admit, join, marked
from loadtest.interviews import InterviewLinks

pytestmark = pytest.mark.companies("chromium", "mixed")

CANDIDATE, INTERVIEWER, NEXT, FOURTH = PEOPLE[:4]
Interview = Callable[..., InterviewLinks]


def frames_advance(page: Page) -> None:
    """More frames are decoded than were before."""
    before = page.evaluate("async () => (await __probe.totals()).frames_decoded")
    page.wait_for_function(
        "async (before) => (await __probe.totals()).frames_decoded > before + 10", arg=before
    )


def hears(page: Page, person: Person) -> None:
    """The tile plays this person's voice, by its pitch.

    Sound that was buffered before a change of company may still play at first.
    """
    tile = page.locator(marked("tile")).first
    for _ in range(3):
        pitch_hz = tile.evaluate("(tile) => __probe.pitch(tile)")
        if pitch_hz is not None and abs(pitch_hz - person.pitch_hz) < 15:
            return
    assert pitch_hz is not None, "silence"
    assert abs(pitch_hz - person.pitch_hz) < 15, f"heard {pitch_hz} Hz"


def meet(browsers: Browsers, links: InterviewLinks) -> tuple[Page, Page]:
    """The interviewer and the admitted candidate, seeing each other."""
    interviewer = join(browsers, INTERVIEWER, links.interviewer)
    candidate = join(browsers, CANDIDATE, links.candidate, phone=True)
    admit(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    return interviewer, candidate


@pytest.mark.companies("chromium", "mixed", "firefox")
def test_two_people_see_and_hear_each_other(browsers: Browsers, interview: Interview) -> None:
    interviewer, candidate = meet(browsers, interview())
    frames_advance(candidate)
    frames_advance(interviewer)
    hears(candidate, INTERVIEWER)
    hears(interviewer, CANDIDATE)


def test_the_lobby_keeps_the_candidate_out_until_admitted(
    browsers: Browsers, interview: Interview
) -> None:
    links = interview()
    interviewer = join(browsers, INTERVIEWER, links.interviewer)
    candidate = join(browsers, CANDIDATE, links.candidate, phone=True)
    expect(candidate.locator(marked("lobby"))).to_be_visible()
    expect(interviewer.locator(marked("admit"))).to_be_visible()
    expect(candidate.locator(marked("tile"))).to_have_count(0)
    assert people_seen(interviewer) == {}
    # The media path is up already, yet nothing flows to either side.
    totals = candidate.evaluate("() => __probe.totals()")
    assert totals["frames_decoded"] == 0
    assert totals["audio_packets"] == 0
    admit(interviewer)
    wait_for_people(candidate, {INTERVIEWER})


def test_four_people_see_one_another(browsers: Browsers, interview: Interview) -> None:
    links = interview(interviewers=3)
    people = {INTERVIEWER: links.panel[0], NEXT: links.panel[1], FOURTH: links.panel[2]}
    pages = {person: join(browsers, person, url) for person, url in people.items()}
    pages[CANDIDATE] = join(browsers, CANDIDATE, links.candidate, phone=True)
    admit(pages[INTERVIEWER])
    for person, page in pages.items():
        wait_for_people(page, set(pages) - {person}, timeout_ms=30_000)
    pages.pop(FOURTH).click(marked("leave"))
    for person, page in pages.items():
        wait_for_people(page, set(pages) - {person}, timeout_ms=30_000)


def test_a_handoff_keeps_the_connection_and_changes_the_company(
    browsers: Browsers, interview: Interview
) -> None:
    links = interview()
    interviewer, candidate = meet(browsers, links)
    following = join(browsers, NEXT, links.next_interviewer)
    counts = "() => [__probe.connections.length, __probe.offers, __probe.cameras]"
    before = candidate.evaluate(counts)
    interviewer.click(marked("handoff"))
    wait_for_people(candidate, {NEXT})
    wait_for_people(following, {CANDIDATE})
    expect(interviewer.locator(marked("tile"))).to_have_count(0)
    assert candidate.evaluate(counts) == before
    hears(candidate, NEXT)
    hears(following, CANDIDATE)


def test_a_handoff_can_be_undone(browsers: Browsers, interview: Interview) -> None:
    links = interview()
    interviewer, candidate = meet(browsers, links)
    interviewer.click(marked("handoff"))
    expect(candidate.locator(marked("lobby"))).to_be_visible()
    interviewer.click(marked("undo-handoff"))
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})


def test_chat_and_reactions_arrive(browsers: Browsers, interview: Interview) -> None:
    interviewer, candidate = meet(browsers, interview())
    for page, text in ((interviewer, "请介绍一下 <b>自己</b>"), (candidate, "好的")):
        page.click(marked("chat-open"))
        page.fill(marked("chat-input"), text)
        page.click(marked("chat-send"))
    for page in (interviewer, candidate):
        messages = page.locator(marked("chat-message"))
        expect(messages).to_have_count(2)
        expect(messages.first).to_contain_text("请介绍一下 <b>自己</b>")
    candidate.keyboard.press("Escape")
    for name in ("like", "puzzled", "clap", "hand"):
        interviewer.click(marked(f"reaction-{name}"))
        shown = candidate.locator(f"{marked('reaction-shown')}[data-name={name}]")
        expect(shown.first).to_be_visible()


def test_muting_silences_and_says_so(browsers: Browsers, interview: Interview) -> None:
    interviewer, candidate = meet(browsers, interview())
    hears(interviewer, CANDIDATE)
    candidate.click(marked("toggle-microphone"))
    expect(interviewer.locator(f"{marked('tile')} {marked('muted')}")).to_be_visible()
    interviewer.wait_for_function(
        """async () => {
          const before = (await __probe.totals()).audio_energy;
          await new Promise((resolve) => setTimeout(resolve, 600));
          return (await __probe.totals()).audio_energy - before < 1e-5;
        }"""
    )
    candidate.click(marked("toggle-microphone"))
    expect(interviewer.locator(f"{marked('tile')} {marked('muted')}")).to_have_count(0)
    hears(interviewer, CANDIDATE)


def test_a_screen_is_shared_and_taken_back(browsers: Browsers, interview: Interview) -> None:
    interviewer, candidate = meet(browsers, interview())
    interviewer.click(marked("share-screen"))
    screen = candidate.locator(f"{marked('screen')} video")
    expect(screen).to_be_visible()
    candidate.wait_for_function(
        "() => document.querySelector('[data-testid=screen] video').videoWidth > 0"
    )
    interviewer.click(marked("share-screen"))
    expect(candidate.locator(marked("screen"))).to_have_count(0)
    wait_for_people(candidate, {INTERVIEWER})


def test_a_reload_keeps_the_seat(browsers: Browsers, interview: Interview) -> None:
    interviewer, candidate = meet(browsers, interview())
    candidate.reload()
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    interviewer.reload()
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    expect(interviewer.locator(marked("admit"))).to_have_count(0)


def test_the_interviewer_ends_the_interview(browsers: Browsers, interview: Interview) -> None:
    interviewer, candidate = meet(browsers, interview())
    interviewer.click(marked("end"))
    interviewer.click(marked("confirm"))
    expect(candidate.locator(marked("problem-ended"))).to_be_visible()
    expect(interviewer.locator(marked("problem-ended"))).to_be_visible()
