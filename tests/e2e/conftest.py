"""A server and browsers for the browser tests; screenshots go to tests/output."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from loadtest.browser.browsers import CAMERA, Browsers
from loadtest.interviews import InterviewLinks, create_interview
from loadtest.server_process import ServerProcess, serve
from tests.e2e.company import COMPANIES

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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """In the companies of the option, else of the closest mark, else in Chromium."""
    if "browsers" not in metafunc.fixturenames:
        return
    mark = metafunc.definition.get_closest_marker("companies")
    companies = metafunc.config.getoption("--company") or (mark.args if mark else ["chromium"])
    metafunc.parametrize("browsers", companies, indirect=True, scope="module")


@pytest.fixture(scope="module")
def camera() -> tuple[int, int]:
    """Width and height of everybody's pictures; a module may give others."""
    return CAMERA


@pytest.fixture(scope="module")
def browsers(request: pytest.FixtureRequest, camera: tuple[int, int]) -> Iterator[Browsers]:
    with COMPANIES[request.param](camera) as company:
        yield company


@pytest.fixture(autouse=True)
def close_pages(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test leaves its browsers without pages."""
    yield
    if "browsers" in request.fixturenames:
        request.getfixturevalue("browsers").close_contexts()


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
