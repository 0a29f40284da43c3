"""A server and Chromium processes for the browser tests; screenshots go to tests/output."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from loadtest.browser.chromium import Chromiums, open_chromiums
from loadtest.interviews import InterviewLinks, create_interview
from loadtest.server_process import ServerProcess, serve

OUTPUT = Path(__file__).parents[1] / "output" / "screens"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def server() -> Iterator[ServerProcess]:
    with serve() as process:
        yield process
        assert process.process.poll() is None, "the server died during the tests"


@pytest.fixture(scope="module")
def chromiums() -> Iterator[Chromiums]:
    with open_chromiums() as browsers:
        yield browsers


@pytest.fixture(autouse=True)
def close_pages(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves its browsers without pages, and no page may have thrown."""
    yield
    if "chromiums" not in request.fixturenames:
        return
    browsers: Chromiums = request.getfixturevalue("chromiums")
    for browser in browsers.browsers.values():
        for context in browser.contexts:
            context.close()


@pytest.fixture
def interview(server: ServerProcess) -> Callable[..., InterviewLinks]:
    """Make a fresh two-round interview: a link is bound to its first device."""
    return lambda **options: create_interview(server, **options)


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keep a screenshot under the given name."""

    def take(page: Page, name: str) -> None:
        OUTPUT.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=OUTPUT / f"{name}.png")

    return take
