"""Keeps a picture of each screen at a phone's and a desktop's width, and looks for faults.

A fault is what no reader should meet: a page wider than the screen, a button beyond its edge or
with its words cut off, a message key instead of words, Chinese on an English page, an error in
the console, anything that the content security policy stopped.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page, ViewportSize

from loadtest.browser.browsers import DESKTOP, PHONE

OUTPUT = Path(__file__).parents[1] / "output" / "screens"
LYING_PHONE: ViewportSize = {"width": 812, "height": 375}

_WATCH_POLICY = """
window.__policy = [];
addEventListener('securitypolicyviolation', (event) => {
  // What was evaluated is Playwright's: the pages may not evaluate anything.
  if (decodeURI(event.sourceFile).endsWith('> eval')) return;
  __policy.push(`${event.effectiveDirective} ${event.blockedURI}`);
});
"""

_SETTLE = """async () => {
  await document.fonts.ready;
  for (let turn = 0; turn < 2; turn += 1) await new Promise(requestAnimationFrame);
  const moves = document.getAnimations().filter((each) => each instanceof CSSTransition);
  await Promise.allSettled(moves.map((each) => each.finished));
}"""

_FAULTS = """([width, language]) => {
  const faults = __policy.map((stopped) => `policy: ${stopped}`);
  const wide = document.documentElement.scrollWidth;
  if (wide > width) faults.push(`the page is ${wide} px wide`);
  const seen = [...document.querySelectorAll('button, a, [role=button]')].filter((element) =>
    element.checkVisibility({ visibilityProperty: true, opacityProperty: true })
      && element.getBoundingClientRect().width > 1);
  for (const button of seen) {
    const name = button.dataset.testid || button.getAttribute('aria-label') || button.innerText;
    const box = button.getBoundingClientRect();
    if (box.left < -1 || box.right > width + 1) faults.push(`beyond the edge: ${name}`);
    for (const part of [button, ...button.querySelectorAll('span')]) {
      const words = part.innerText && part.innerText.trim();
      const clips = getComputedStyle(part).overflowX !== 'visible' || part === button;
      if (words && clips && part.scrollWidth > part.clientWidth + 1 && part.clientWidth > 1
          && getComputedStyle(part).position !== 'absolute') faults.push(`cut off: ${words}`);
    }
  }
  const labels = [...document.querySelectorAll('[aria-label], [title], [placeholder]')].flatMap(
    (element) => ['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name)));
  const words = [document.body.innerText, document.title, ...labels].filter(Boolean).join('\\n');
  const groups = 'app|role|check|lobby|room|reaction|chat|quality|interviewer|refusal|keys'
    + '|problem|help|hr';
  const untranslated = words.match(new RegExp(`\\\\b(${groups})\\\\.[a-zA-Z_]`));
  if (untranslated) faults.push(`untranslated: ${untranslated[0]}`);
  // The language's own name and the product's, which is the page's title, stay as they are.
  const shown = [document.body.innerText, ...labels].filter(Boolean).join('\\n');
  const chinese = language === 'en' && shown.replaceAll('中文', '').match(/[\\u4e00-\\u9fff]+/);
  if (chinese) faults.push(`Chinese: ${chinese[0]}`);
  return faults;
}"""

_EXPECTED = re.compile(
    r"Failed to load resource|net::ERR|WebSocket connection to"  # Chromium
    r"|can’t establish a connection to the server at|was interrupted while the page was loading"
    r"|sha256-YjaKGiklmzC6wjXA513HAMmzus8VE61XCOT\+SmwNZWA="
)
"""What the console may say.

A refused request is what some screens are about. In Firefox, Playwright adds the empty style of
this hash to a page of which it takes a picture, and the page's policy stops it.
"""


@dataclass  # no slots: playwright keeps its wrapper of `_hear` on the object
class Screens:
    """Pictures of the pages in one language ("zh" or "en"), and the faults found on them."""

    language: str
    company: str
    """Which browsers show the pages; each has a folder of its own."""
    faults: list[str] = field(default_factory=list)

    def watch(self, page: Page, trouble: Sequence[str] = ()) -> Page:
        """Look at the page from its first script on, with `trouble` run before it."""
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(f"thrown: {error}"))
        for script in (_WATCH_POLICY, *trouble):
            page.add_init_script(script)
        return page

    def take(self, page: Page, name: str, *, moving: bool = False) -> None:
        """A picture at both widths; the page ends at the width that it began with.

        `moving` keeps animations as they are, for what is only seen while it flies.
        """
        own = page.viewport_size or DESKTOP
        for size in (DESKTOP, PHONE) if own["width"] <= PHONE["width"] else (PHONE, DESKTOP):
            self.take_at(page, name, size, moving=moving)
        page.set_viewport_size(own)

    def take_at(self, page: Page, name: str, size: ViewportSize, *, moving: bool = False) -> None:
        """A picture at one size."""
        page.set_viewport_size(size)
        page.evaluate(_SETTLE)
        where = f"{name} at {size['width']} px in {self.language}"
        found = page.evaluate(_FAULTS, [size["width"], self.language])
        self.faults += [f"{where}: {fault}" for fault in found]
        page.screenshot(
            path=OUTPUT / self.company / str(size["width"]) / self.language / f"{name}.png",
            full_page=True,
            animations="allow" if moving else "disabled",
        )

    def check(self) -> None:
        """Fail with every fault found since the last check."""
        faults, self.faults = self.faults, []
        assert not faults, "\n".join(faults)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note(f"console: {message.text}")

    def _note(self, fault: str) -> None:
        if not _EXPECTED.search(fault):
            self.faults.append(fault)
