"""Which browsers the people of an interview use."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, sync_playwright

from loadtest.browser.browsers import Browsers
from loadtest.browser.chromium import open_chromiums
from loadtest.browser.clips import PEOPLE, Person
from loadtest.browser.firefox import open_firefox

CANDIDATE = PEOPLE[0]

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Mixed:
    """The candidate is in one browser, everybody else in the other."""

    candidate: Browsers
    others: Browsers

    def context(self, person: Person, **options: Any) -> BrowserContext:
        browsers = self.candidate if person == CANDIDATE else self.others
        return browsers.context(person, **options)

    def close_contexts(self) -> None:
        self.candidate.close_contexts()
        self.others.close_contexts()


@contextmanager
def chromium(camera: Size) -> Iterator[Browsers]:
    with open_chromiums(camera=camera) as chromiums:
        yield chromiums


@contextmanager
def firefox(camera: Size) -> Iterator[Browsers]:
    with sync_playwright() as playwright, open_firefox(playwright, camera) as everybody:
        yield everybody


@contextmanager
def mixed(camera: Size) -> Iterator[Browsers]:
    with (
        open_chromiums(camera=camera) as chromiums,
        open_firefox(chromiums.playwright, camera) as others,
    ):
        yield Mixed(chromiums, others)


COMPANIES = {company.__name__: company for company in (chromium, firefox, mixed)}
