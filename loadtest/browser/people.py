"""Whose pictures a page shows, judged by what it decodes."""

from playwright.sync_api import Page

from loadtest.browser.clips import PEOPLE, Person, nearest_person


def people_seen(page: Page) -> dict[str, Person | None]:
    """Whose picture each tile shows now, by the tile's participant id, from decoded pixels."""
    corners: dict[str, list[int] | None] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll('[data-testid=tile]')].map(
            (tile) => [tile.dataset.participant, (() => {
              const video = tile.querySelector('video');
              return video ? __probe.corner(video) : null;
            })()]))"""
    )
    return {
        participant: nearest_person(corner[0], corner[1], corner[2]) if corner else None
        for participant, corner in corners.items()
    }


def wait_for_people(page: Page, people: set[Person], timeout_ms: int = 15_000) -> None:
    """Return once the tiles show exactly these people, as decoded.

    Raises playwright's TimeoutError with what was seen instead.
    """
    wanted = sorted(person.key for person in people)
    walls = {person.key: list(person.wall) for person in PEOPLE}
    page.wait_for_function(
        """([wanted, walls]) => {
          const near = (rgb) => Object.entries(walls).find(([, wall]) =>
            wall.reduce((sum, value, index) => sum + (value - rgb[index]) ** 2, 0) < 1600);
          const seen = [...document.querySelectorAll('[data-testid=tile] video')]
            .map((video) => __probe.corner(video)).filter(Boolean).map(near)
            .filter(Boolean).map(([key]) => key).sort();
          return JSON.stringify(seen) === JSON.stringify(wanted);
        }""",
        arg=[wanted, walls],
        timeout=timeout_ms,
        polling=100,
    )
