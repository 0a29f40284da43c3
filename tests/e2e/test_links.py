"""Who a link lets in, in real browsers."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from loadtest.browser.browsers import Browsers
from loadtest.browser.clips import PEOPLE
from loadtest.browser.visit import join, marked
from loadtest.interviews import InterviewLinks, hr_link
from loadtest.server_process import ServerProcess

pytestmark = pytest.mark.companies("chromium", "firefox")

CANDIDATE, INTERVIEWER, OTHER = PEOPLE[:3]
Interview = Callable[..., InterviewLinks]


def test_a_second_device_is_refused_until_hr_lets_it_in(
    browsers: Browsers, server: ServerProcess, interview: Interview
) -> None:
    url = interview().candidate
    join(browsers, CANDIDATE, url, phone=True)
    second = browsers.context(OTHER, phone=True).new_page()
    second.goto(url)
    expect(second.locator(marked("problem-other_device"))).to_be_visible()
    second.click(marked("ask"))
    hr = browsers.context(INTERVIEWER).new_page()
    hr.goto(hr_link(server))
    hr.click(marked("hr-allow"))
    # Gone once the server says that nobody asks any more: before, a reload would be refused again.
    expect(hr.locator(marked("hr-allow"))).to_have_count(0)
    second.reload()
    second.click(marked("join"))
    expect(second.locator(marked("self-view"))).to_be_visible()


def test_forged_links_open_nothing(browsers: Browsers, server: ServerProcess) -> None:
    page = browsers.context(CANDIDATE, phone=True).new_page()
    for forged in ("A" * 22, "x", "%2e%2e%2fetc", "0" * 500):
        page.goto(f"{server.origin}/i/{forged}")
        expect(page.locator(marked("problem-unknown"))).to_be_visible()
        expect(page.locator(marked("join"))).to_have_count(0)


def test_an_expired_link_says_so(browsers: Browsers, interview: Interview) -> None:
    links = interview(starts_at="2020-01-01T09:00:00+08:00")
    page = browsers.context(CANDIDATE, phone=True).new_page()
    page.goto(links.candidate)
    expect(page.locator(marked("problem-expired"))).to_be_visible()


def test_a_link_opened_too_early_counts_down(browsers: Browsers, interview: Interview) -> None:
    links = interview(starts_at="2099-01-01T09:00:00+08:00")
    page = browsers.context(CANDIDATE, phone=True).new_page()
    page.goto(links.candidate)
    expect(page.locator(marked("problem-early"))).to_be_visible()
