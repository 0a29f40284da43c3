"""Every screen, in both languages and at two widths: kept as pictures, and read for faults."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from loadtest.browser.browsers import DESKTOP, PHONE, Browsers
from loadtest.browser.chromium import WECHAT_ANDROID
from loadtest.browser.clips import PEOPLE, Person
from loadtest.browser.people import wait_for_people
from loadtest.browser.visit import admit, marked
from loadtest.interviews import create_interview, hr_link
from loadtest.server_process import ServerProcess, free_port, serve
from tests.e2e.network import OUTSIDE, Network, open_network
from tests.e2e.screens import LYING_PHONE, Screens

CANDIDATE, INTERVIEWER, SECOND, THIRD = PEOPLE[:4]

LOCALES = {"zh": "zh-CN", "en": "en-GB"}
TITLE = {"zh": "门店店长（上海静安店）视频面试", "en": "Store lead, Jing’an flagship store"}
NAMES = {
    "zh": ("张三", "李经理", "王总监", "赵经理", "孙经理", "周经理"),
    "en": ("Alex Morgan", "Dana Li", "Chris Wang", "Sam Zhao", "Robin Sun", "Kim Zhou"),
}
"""The candidate, the first round's interviewer, the second's, then more of the first round's."""
QUESTION = {"zh": "请先用一分钟介绍一下自己。", "en": "Please introduce yourself in a minute."}
ANSWER = {"zh": "好的，谢谢！", "en": "Of course, thank you!"}

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1"
)
WECHAT_WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/107.0 Safari/537.36 NetType/WIFI MicroMessenger/7.0.20.1781(0x6700143B) "
    "WindowsWechat(0x63090a13) XWEB/9129"
)

REJECTIONS = {
    "denied": ("Permission denied", "NotAllowedError"),
    "dismissed": ("Permission dismissed", "NotAllowedError"),
    "missing": ("Requested device not found", "NotFoundError"),
    "in_use": ("Could not start video source", "NotReadableError"),
    "overconstrained": ("", "OverconstrainedError"),
}
"""How getUserMedia fails, by the names of W3C Media Capture and Streams, section 10.4."""

NO_DEVICES = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"
NOT_SECURE = NO_DEVICES + "Object.defineProperty(window, 'isSecureContext', { value: false });"


@dataclass(frozen=True, slots=True)
class Place:
    """A server of one's own behind a network, and the language spoken there."""

    language: str
    server: ServerProcess
    network: Network


@pytest.fixture(scope="module", params=["zh", "en"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    port = free_port()
    behind = {
        "MIANSHI_HTTP_PUBLIC_URL": f"http://{OUTSIDE}:{port}",
        "MIANSHI_MEDIA_ADVERTISED": OUTSIDE,
    }
    with (
        serve(environment=behind, port=port, demo=False) as server,
        open_network(port) as network,
    ):
        yield Place(request.param, server, network)


@pytest.fixture
def screens(place: Place, request: pytest.FixtureRequest) -> Iterator[Screens]:
    """Fails the test for the faults that were found, once every picture is taken."""
    found = Screens(place.language, request.node.callspec.params["browsers"])
    yield found
    found.check()


def opened(
    browsers: Browsers, screens: Screens, person: Person, url: str, *, phone: bool = False
) -> Page:
    context = browsers.context(person, phone=phone, locale=LOCALES[screens.language])
    page = screens.watch(context.new_page())
    page.goto(url)
    return page


def enter(page: Page) -> Page:
    page.click(marked("join"))
    page.wait_for_selector(marked("self-view"))
    return page


def create_as_hr(hr: Page, screens: Screens) -> dict[str, str]:
    """HR makes the interview by the form; each person's link by their name."""
    names = NAMES[screens.language]
    screens.take(hr, "hr-empty")
    hr.click(marked("hr-create"))
    screens.take(hr, "hr-form")
    hr.click(marked("hr-submit"))
    screens.take(hr, "hr-form-incomplete")
    hr.fill("[name=title]", TITLE[screens.language])
    hr.fill("[name=candidate]", names[0])
    for _ in names[3:]:
        hr.locator("fieldset").nth(1).locator("button.small, button").last.click()
    fields = hr.locator("[name=interviewer]")
    for number, name in enumerate(names[1:]):
        fields.nth(number).fill(name)
    for number in range(2, len(names) - 1):
        hr.locator("fieldset").nth(1).locator("select").nth(number).select_option(index=0)
    screens.take(hr, "hr-form-filled")
    hr.click(marked("hr-submit"))
    expect(hr.locator(marked("hr-link"))).to_have_count(len(names))
    screens.take(hr, "hr-links")
    links = [each.input_value() for each in hr.locator(marked("hr-link")).all()]
    hr.locator(".form header button").click()
    return dict(zip(names, links, strict=True))


def meet(
    browsers: Browsers, screens: Screens, links: dict[str, str], hr: Page
) -> tuple[Page, Page]:
    """From the invitation until the interviewer and the candidate see each other."""
    names = NAMES[screens.language]
    candidate = opened(browsers, screens, CANDIDATE, links[names[0]], phone=True)
    candidate.wait_for_selector(marked("join"))
    screens.take(candidate, "check")
    interviewer = opened(browsers, screens, INTERVIEWER, links[names[1]])
    interviewer.wait_for_selector(marked("join"))
    screens.take(interviewer, "interviewer-check")
    screens.take(enter(interviewer), "interviewer-alone")
    screens.take(enter(candidate), "lobby")
    interviewer.wait_for_selector(marked("admit"))
    screens.take(interviewer, "interviewer-waiting")
    screens.take(hr, "hr-list")
    admit(interviewer)
    wait_for_people(candidate, {INTERVIEWER})
    wait_for_people(interviewer, {CANDIDATE})
    screens.take(candidate, "room")
    screens.take_at(candidate, "room", LYING_PHONE)
    candidate.set_viewport_size(PHONE)
    screens.take(interviewer, "interviewer-room")
    return interviewer, candidate


def talk(screens: Screens, interviewer: Page, candidate: Page) -> None:
    """Chat, reactions and a shared screen."""
    for page, words in ((interviewer, QUESTION), (candidate, ANSWER)):
        page.click(marked("chat-open"))
        page.fill(marked("chat-input"), words[screens.language])
        page.click(marked("chat-send"))
        expect(page.locator(marked("chat-message")).last).to_contain_text(words[screens.language])
    screens.take(candidate, "room-chat")
    screens.take(interviewer, "interviewer-chat")
    candidate.click(marked("sheet-close"))
    interviewer.click(marked("sheet-close"))
    for page, other, name in ((interviewer, candidate, "like"), (candidate, interviewer, "clap")):
        page.click(marked(f"reaction-{name}"))
        other.wait_for_selector(marked("reaction-shown"))
    screens.take_at(candidate, "room-reactions", PHONE, moving=True)
    screens.take_at(interviewer, "interviewer-reactions", DESKTOP, moving=True)
    interviewer.click(marked("share-screen"))
    candidate.wait_for_function(
        "() => document.querySelector('[data-testid=screen] video')?.videoWidth > 0"
    )
    screens.take(candidate, "room-screen")
    screens.take_at(candidate, "room-screen", LYING_PHONE)
    candidate.set_viewport_size(PHONE)
    screens.take(interviewer, "interviewer-sharing")
    interviewer.click(marked("share-screen"))
    expect(candidate.locator(marked("screen"))).to_have_count(0)


def look_things_up(screens: Screens, interviewer: Page, candidate: Page) -> None:
    """Help, shortcuts, the connection's words and the questions that are asked before harm."""
    for page, name in ((candidate, "room"), (interviewer, "interviewer")):
        page.click(marked("quality"))
        screens.take(page, f"{name}-quality")
        page.click(marked("quality"))
        page.click(marked("help"))
        page.wait_for_selector(marked("help-sheet"))
        screens.take(page, f"{name}-help")
        page.click(marked("help-close"))
    interviewer.click(marked("shortcuts-open"))
    screens.take(interviewer, "interviewer-shortcuts")
    interviewer.keyboard.press("Escape")
    interviewer.click(marked("tile-menu"))
    screens.take(interviewer, "interviewer-menu")
    interviewer.click(marked("tile-menu"))
    interviewer.click(marked("end"))
    screens.take(interviewer, "interviewer-end")
    interviewer.keyboard.press("Escape")


def another_device(browsers: Browsers, screens: Screens, links: dict[str, str], hr: Page) -> None:
    """The candidate's link elsewhere; HR is asked; an unused link is exchanged for a new one."""
    names = NAMES[screens.language]
    second = opened(browsers, screens, CANDIDATE, links[names[0]], phone=True)
    second.wait_for_selector(marked("problem-other_device"))
    screens.take(second, "problem-other_device")
    second.click(marked("ask"))
    expect(second.locator(marked("ask"))).to_have_count(0)
    screens.take(second, "problem-other_device-asked")
    hr.wait_for_selector(marked("hr-allow"))
    screens.take(hr, "hr-asked")
    row = hr.locator(marked("hr-participant")).filter(has_text=names[-1])
    row.locator(marked("hr-new-link")).click()
    row.locator(marked("hr-link")).wait_for()
    screens.take(hr, "hr-new-link")
    second.goto(links[names[-1]])
    second.wait_for_selector(marked("problem-revoked"))
    screens.take(second, "problem-revoked")
    second.context.close()


def gather(browsers: Browsers, screens: Screens, links: dict[str, str], interviewer: Page) -> None:
    """More interviewers come; one of them is asked to leave."""
    names = NAMES[screens.language]
    more = [
        enter(opened(browsers, screens, person, links[name]))
        for person, name in ((SECOND, names[3]), (THIRD, names[4]))
    ]
    wait_for_people(interviewer, {CANDIDATE, SECOND, THIRD}, timeout_ms=30_000)
    screens.take(interviewer, "interviewer-three-tiles")
    screens.take(more[0], "interviewer-panel")
    tile = interviewer.locator(marked("tile")).filter(has_text=names[3])
    tile.locator(marked("tile-menu")).click()
    tile.locator(marked("remove")).click()
    screens.take(interviewer, "interviewer-remove")
    interviewer.click(marked("confirm"))
    more[0].wait_for_selector(marked("problem-removed"))
    screens.take(more[0], "problem-removed")
    for page in more:
        page.context.close()


def part(screens: Screens, place: Place, interviewer: Page, candidate: Page) -> None:
    """Hand-over and back, a dark network, another window, leaving and the end."""
    interviewer.click(marked("handoff"))
    candidate.wait_for_selector(marked("lobby"))
    screens.take(candidate, "lobby-next")
    screens.take(interviewer, "interviewer-handed-over")
    interviewer.click(marked("undo-handoff"))
    wait_for_people(candidate, {INTERVIEWER})
    place.network.go_dark()
    for page, name in ((candidate, "room"), (interviewer, "interviewer")):
        page.wait_for_selector(marked("problem-reconnecting"))
        screens.take(page, f"{name}-reconnecting")
    place.network.come_back()
    for page in (candidate, interviewer):
        expect(page.locator(marked("problem-reconnecting"))).to_have_count(0, timeout=20_000)
    again = screens.watch(candidate.context.new_page())
    again.goto(candidate.url)
    enter(again)
    candidate.wait_for_selector(marked("problem-replaced"))
    screens.take(candidate, "problem-replaced")
    candidate.close()
    again.click(marked("leave"))
    again.wait_for_selector(marked("problem-left"))
    screens.take(again, "problem-left")
    interviewer.click(marked("end"))
    interviewer.click(marked("confirm"))
    interviewer.wait_for_selector(marked("problem-ended"))
    screens.take(interviewer, "interviewer-ended")


def test_an_interview(browsers: Browsers, place: Place, screens: Screens) -> None:
    hr = opened(browsers, screens, INTERVIEWER, hr_link(place.server))
    hr.wait_for_selector(marked("hr-create"))
    links = create_as_hr(hr, screens)
    interviewer, candidate = meet(browsers, screens, links, hr)
    talk(screens, interviewer, candidate)
    look_things_up(screens, interviewer, candidate)
    another_device(browsers, screens, links, hr)
    gather(browsers, screens, links, interviewer)
    part(screens, place, interviewer, candidate)
    screens.take(hr, "hr-after")


@pytest.mark.companies("chromium", "firefox")
def test_new_links_fit_a_phone(browsers: Browsers, server: ServerProcess) -> None:
    """Browsers differ in how wide a field would be if it could."""
    hr = browsers.context(INTERVIEWER, phone=True).new_page()
    hr.goto(hr_link(server))
    hr.click(marked("hr-create"))
    hr.fill("[name=title]", TITLE["zh"])
    hr.fill("[name=candidate]", NAMES["zh"][0])
    for field, name in zip(hr.locator("[name=interviewer]").all(), NAMES["zh"][1:], strict=False):
        field.fill(name)
    hr.click(marked("hr-submit"))
    hr.wait_for_selector(marked("hr-link"))
    assert hr.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


def test_devices_that_fail(browsers: Browsers, place: Place, screens: Screens) -> None:
    url = create_interview(place.server).candidate
    context = browsers.context(CANDIDATE, phone=True, locale=LOCALES[screens.language])
    for code, (message, name) in REJECTIONS.items():
        refusal = f"Promise.reject(new DOMException('{message}', '{name}'))"
        # The page before the first one is not secure in Firefox and has no devices.
        refuse = f"if (isSecureContext) navigator.mediaDevices.getUserMedia = () => {refusal};"
        page = screens.watch(context.new_page(), [refuse])
        page.goto(url)
        page.wait_for_selector(marked(f"problem-{code}"))
        screens.take(page, f"problem-{code}")
        page.close()


@pytest.mark.parametrize(
    ("code", "agent", "trouble"),
    [
        ("insecure", IPHONE, NOT_SECURE),
        ("unsupported", IPHONE, NO_DEVICES),
        ("wechat_open_browser", WECHAT_ANDROID, NO_DEVICES),
        ("wechat_desktop", WECHAT_WINDOWS, NO_DEVICES),
    ],
)
def test_browsers_without_a_camera(
    browsers: Browsers,
    place: Place,
    screens: Screens,
    code: str,
    agent: str,
    trouble: str,
) -> None:
    context = browsers.context(CANDIDATE, phone=True, locale=LOCALES[screens.language], agent=agent)
    page = screens.watch(context.new_page(), [trouble])
    page.goto(create_interview(place.server).candidate)
    page.wait_for_selector(marked(f"problem-{code}"))
    screens.take(page, f"problem-{code}")


def test_links_that_open_nothing(browsers: Browsers, place: Place, screens: Screens) -> None:
    early = create_interview(place.server, starts_at="2099-01-01T09:00:00+08:00").candidate
    pages = {
        "unknown": f"{place.network.origin}/i/{'A' * 22}",
        "expired": create_interview(place.server, starts_at="2020-01-01T09:00:00+08:00").candidate,
        "early": early,
        "signed_out": f"{place.network.origin}/hr",
    }
    page = screens.watch(
        browsers.context(CANDIDATE, phone=True, locale=LOCALES[screens.language]).new_page()
    )
    for code, url in pages.items():
        page.goto(url)
        page.wait_for_selector(marked(f"problem-{code}"))
        screens.take(page, f"problem-{code}")
    page.route("**/api/links/**", lambda route: route.abort())
    page.goto(early)
    page.wait_for_selector(marked("problem-offline"))
    screens.take(page, "problem-offline")


def test_an_hr_link_that_another_browser_used(
    browsers: Browsers, place: Place, screens: Screens
) -> None:
    link = hr_link(place.server)
    first = browsers.context(INTERVIEWER).new_page()
    first.goto(link)
    first.wait_for_selector(marked("hr-create"))
    context = browsers.context(CANDIDATE, locale=LOCALES[screens.language])
    second = screens.watch(context.new_page())
    second.goto(link)
    second.wait_for_selector(marked("problem-link_used"))
    screens.take(second, "problem-link_used")
    first.reload()
    first.wait_for_selector(marked("hr-create"))


def test_the_help_of_each_platform(browsers: Browsers, place: Place, screens: Screens) -> None:
    page = opened(browsers, screens, CANDIDATE, f"{place.network.origin}/help", phone=True)
    for platform in ("ios", "android", "wechat", "desktop"):
        page.click(marked(f"help-{platform}"))
        screens.take(page, f"help-{platform}")
