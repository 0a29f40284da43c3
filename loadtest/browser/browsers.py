"""What tests want of browsers, whoever made them."""

from pathlib import Path
from typing import Protocol

from playwright.sync_api import BrowserContext, ViewportSize

from loadtest.browser.clips import Person

PHONE: ViewportSize = {"width": 375, "height": 812}
DESKTOP: ViewportSize = {"width": 1440, "height": 900}

CAMERA = (640, 360)
"""Width and height of the pictures that a camera gives."""

PATIENCE_MS = 15_000
"""How long an action waits for what it acts upon."""

PROBE = Path(__file__).with_name("probe.js")
"""Runs in every page before its own scripts."""


class Browsers(Protocol):
    """Gives each person devices with a camera and a microphone of their own."""

    def context(
        self,
        person: Person,
        *,
        phone: bool = False,
        locale: str = "zh-CN",
        agent: str | None = None,
    ) -> BrowserContext:
        """A device of the person's: its own cookies; a phone or a desktop.

        `agent` is what it says it is, if not what such a device would.
        """

    def close_contexts(self) -> None:
        """Every page goes; the processes stay."""
