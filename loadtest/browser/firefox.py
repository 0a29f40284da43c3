"""A real Firefox for several people, each with a camera and a microphone of their own."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Playwright

from loadtest.browser.browsers import CAMERA, DESKTOP, PATIENCE_MS, PHONE, PROBE
from loadtest.browser.clips import Person
from loadtest.browser.firefox_relay import FIREFOX
from loadtest.errors import MissingToolError

FIREFOX_ANDROID = "Mozilla/5.0 (Android 14; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0"

_PREFERENCES: dict[str, str | float | bool] = {
    # Without a lasting permission Firefox offers the address of the default route alone.
    "permissions.default.camera": 1,
    "permissions.default.microphone": 1,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.force_interface": "lo",
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    # Without a sound card no sound would flow at all.
    "media.cubeb.force_mock_context": True,
    "media.autoplay.default": 0,
}

_PAINTED_DEVICES = Path(__file__).with_name("painted_devices.js")
_RELAY = Path(__file__).with_name("firefox_relay.py")


def firefox_path() -> str:
    """The system's Firefox. Raises MissingToolError, which says how to get it."""
    for name in ("firefox-esr", "firefox"):
        if found := shutil.which(name):
            return found
    raise MissingToolError("Firefox", "install it with: apt-get install firefox-esr")


@dataclass(frozen=True, slots=True)
class Firefox:
    """One process for everybody: cameras and screens are painted in the pages."""

    browser: Browser
    camera: tuple[int, int]

    def context(
        self,
        person: Person,
        *,
        phone: bool = False,
        locale: str = "zh-CN",
        agent: str | None = None,
    ) -> BrowserContext:
        """A device of the person's: its own cookies; a phone or a desktop.

        A phone is its width and its name: Firefox on a desktop emulates no touch.
        """
        context = self.browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            locale=locale,
            user_agent=agent or (FIREFOX_ANDROID if phone else None),
        )
        who, size = json.dumps(asdict(person)), json.dumps(self.camera)
        context.add_init_script(f"({_PAINTED_DEVICES.read_text()})({who}, {size});")
        context.add_init_script(path=PROBE)
        context.set_default_timeout(PATIENCE_MS)
        return context

    def close_contexts(self) -> None:
        """Every page goes; the process stays."""
        for context in self.browser.contexts:
            context.close()


@contextmanager
def open_firefox(playwright: Playwright, camera: tuple[int, int] = CAMERA) -> Iterator[Firefox]:
    """Firefox, gone at the end. Raises MissingToolError."""
    python = Path(sys.executable).parent
    browser = playwright.firefox.launch(
        channel="moz-firefox",  # WebDriver BiDi, all that a stock Firefox knows
        executable_path=_RELAY,
        firefox_user_prefs=_PREFERENCES,
        env={
            **os.environ,
            "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
            FIREFOX: firefox_path(),
        },
    )
    try:
        yield Firefox(browser, camera)
    finally:
        browser.close()
