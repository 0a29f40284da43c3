"""What a person does on the pages, by the marks that the pages carry."""

from playwright.sync_api import Page

from loadtest.browser.browsers import Browsers
from loadtest.browser.clips import Person


def marked(testid: str) -> str:
    """The selector of an element by its `data-testid`."""
    return f"[data-testid={testid}]"


def open_link(
    browsers: Browsers, person: Person, url: str, *, phone: bool = False, locale: str = "zh-CN"
) -> Page:
    """Open a link on a fresh device of the person's and wait for the button that joins."""
    page = browsers.context(person, phone=phone, locale=locale).new_page()
    page.goto(url)
    page.wait_for_selector(marked("join"))
    return page


def join(
    browsers: Browsers, person: Person, url: str, *, phone: bool = False, locale: str = "zh-CN"
) -> Page:
    """Open a link and tap to join; returns once the person sees themselves."""
    page = open_link(browsers, person, url, phone=phone, locale=locale)
    page.click(marked("join"))
    page.wait_for_selector(marked("self-view"))
    return page


def admit(interviewer: Page) -> None:
    """Let the first one waiting in."""
    interviewer.click(marked("admit"))
