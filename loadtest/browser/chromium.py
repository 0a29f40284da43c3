"""Real Chromium processes, each with a camera and a microphone of its own."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Playwright,
    sync_playwright,
)

from loadtest.browser.browsers import CAMERA, DESKTOP, PATIENCE_MS, PHONE, PROBE
from loadtest.browser.clips import Camera, Person, write_camera, write_microphone
from loadtest.errors import MissingToolError

WECHAT_ANDROID = (
    "Mozilla/5.0 (Linux; Android 13; V2118A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/126.0.6478.188 Mobile Safari/537.36 XWEB/1260183 MMWEBSDK/20240404 "
    "MicroMessenger/8.0.49.2600(0x28003133) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN"
)

_STRONG = """Object.defineProperty(Navigator.prototype, 'hardwareConcurrency', { get: () => 8 })"""
"""Pages ask a camera for full HD only where there are processors to encode it."""

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
)


def chromium_path() -> str:
    """The system's Chromium. Raises MissingToolError, which says how to get it."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    raise MissingToolError("Chromium", "install it with: apt-get install chromium")


@dataclass(slots=True)
class Chromiums:
    """Browsers by person; one process each, since a process has one fake camera file."""

    playwright: Playwright
    clips: Path
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    """By the person's key.

    Their browsers say that they have the cores for it: on fewer the page would ask for 720 lines.
    """
    camera: tuple[int, int] = CAMERA
    """How large everybody else's pictures are."""
    browsers: dict[str, Browser] = field(default_factory=dict)

    def browser(self, person: Person) -> Browser:
        """The person's browser process, started at the first call."""
        if person.key not in self.browsers:
            camera, voice = self.clips / f"{person.key}.y4m", self.clips / f"{person.key}.wav"
            if not camera.exists():
                write_camera(camera, person, self.cameras.get(person.key, Camera(*self.camera)))
                write_microphone(voice, person)
            self.browsers[person.key] = self.playwright.chromium.launch(
                executable_path=chromium_path(),
                args=[
                    *_FLAGS,
                    f"--use-file-for-fake-video-capture={camera}",
                    f"--use-file-for-fake-audio-capture={voice}",
                ],
            )
        return self.browsers[person.key]

    def context(
        self,
        person: Person,
        *,
        phone: bool = False,
        locale: str = "zh-CN",
        agent: str | None = None,
    ) -> BrowserContext:
        """A device of the person's: its own cookies; a phone inside WeChat, or a desktop."""
        context = self.browser(person).new_context(
            viewport=PHONE if phone else DESKTOP,
            locale=locale,
            is_mobile=phone,
            has_touch=phone,
            user_agent=agent or (WECHAT_ANDROID if phone else None),
        )
        context.add_init_script(path=PROBE)
        if person.key in self.cameras:
            context.add_init_script(_STRONG)
        context.set_default_timeout(PATIENCE_MS)
        return context

    def close_contexts(self) -> None:
        """Every page goes; the processes stay."""
        for browser in self.browsers.values():
            for context in browser.contexts:
                context.close()

    def close(self) -> None:
        for browser in self.browsers.values():
            browser.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def open_chromiums(
    cameras: Mapping[str, Camera] | None = None, camera: tuple[int, int] = CAMERA
) -> Iterator[Chromiums]:
    """Playwright, the clips' folder and the browsers, all gone at the end."""
    with (
        tempfile.TemporaryDirectory(prefix="mianshi-clips-") as folder,
        sync_playwright() as playwright,
        Chromiums(playwright, Path(folder), cameras or {}, camera) as chromiums,
    ):
        yield chromiums
