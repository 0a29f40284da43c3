"""One self-contained page about a load test, to look at and to send on."""

import platform
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Literal

from loadtest.crowd.run import Outcome
from loadtest.crowd.tally import Second
from loadtest.plot import Curve, Panel, draw

Language = Literal["en", "zh"]

_TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "passed": "Passed: every limit held",
        "missed": "Did not pass",
        "partial": "Ended early, the figures are of what ran until then",
        "figure": "Figure",
        "measured": "Measured",
        "limit": "Limit",
        "users": "Users who joined",
        "failed_joins": "Joins that failed, or never saw anybody",
        "join": "From the tap to a media path that stands, p50 / p95 / worst (ms)",
        "picture": "From then to the first picture, p50 / p95 / worst (ms)",
        "loss": "Packets that did not arrive by themselves (share)",
        "latency": "Publisher to viewer, p50 / p99 / max (ms)",
        "freezes": "Pictures that stood for more than 500 ms",
        "traffic": "Packets a second, Mbit/s (received by all)",
        "cpu": "Server: processors in use",
        "rss": "Server: memory (MB), for each user (KB)",
        "worst": "Who fared worst",
        "user": "User",
        "lost": "Lost",
        "stood": "Freezes over 500 ms",
        "slowest": "Slowest packet (ms)",
        "joined": "joined",
        "failed": "failed",
        "machine": "Machine",
        "over_time": "Over time",
        "users_now": "Users",
        "latency_now": "Publisher to viewer (ms)",
        "lost_now": "Packets lost, each second",
        "traffic_now": "Received by all (Mbit/s)",
        "rss_now": "Server: memory (MB)",
        "late": "The generator itself was late by up to (ms)",
    },
    "zh": {
        "passed": "通过：全部指标达标",
        "missed": "未通过",
        "partial": "提前结束，以下为结束前的数据",
        "figure": "指标",
        "measured": "实测",
        "limit": "上限",
        "users": "成功进入的用户",
        "failed_joins": "进入失败或始终没有画面的用户",
        "join": "从点击到媒体连通，p50 / p95 / 最差（毫秒）",
        "picture": "从连通到首帧，p50 / p95 / 最差（毫秒）",
        "loss": "未能自行到达的数据包占比",
        "latency": "发送方到接收方延迟，p50 / p99 / 最大（毫秒）",
        "freezes": "超过 500 毫秒的画面卡顿",
        "traffic": "每秒数据包、Mbit/s（所有用户接收合计）",
        "cpu": "服务器：占用的处理器核数",
        "rss": "服务器：内存（MB），每用户（KB）",
        "worst": "体验最差的用户",
        "user": "用户",
        "lost": "丢包",
        "stood": "超过 500 毫秒的卡顿",
        "slowest": "最慢的数据包（毫秒）",
        "joined": "已进入",
        "failed": "失败",
        "machine": "机器",
        "over_time": "随时间变化",
        "users_now": "用户",
        "latency_now": "发送方到接收方延迟（毫秒）",
        "lost_now": "每秒丢包",
        "traffic_now": "所有用户接收合计（Mbit/s）",
        "rss_now": "服务器：内存（MB）",
        "late": "压测程序自身的最大延迟（毫秒）",
    },
}

_STYLE = """
body{font:16px/1.5 system-ui,"PingFang SC","Microsoft YaHei",sans-serif;color:#1d2129;
margin:0 auto;max-width:1000px;padding:24px 16px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:32px 0 8px}
.verdict{border-radius:8px;padding:12px 16px;margin:16px 0;font-weight:600}
.good{background:#e8f7ee;color:#10612f}.bad{background:#fdecea;color:#8f1d14}
ul{margin:4px 0 0;font-weight:400}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:8px;border-bottom:1px solid #e5e6eb;vertical-align:top}
td+td,th+th{text-align:right;font-variant-numeric:tabular-nums}
.note{color:#4e5969}svg{width:100%;height:auto}
@media print{body{max-width:none}}
"""
_WORST = 10


def write(path: Path, outcome: Outcome, when: datetime, language: Language = "en") -> None:
    """Write the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(outcome, when, language), encoding="utf-8")


def page(outcome: Outcome, when: datetime, language: Language = "en") -> str:
    """The page's HTML."""
    text = _TEXTS[language]
    title = escape(outcome.scenario.title)
    return "\n".join(
        [
            "<!doctype html>",
            f'<html lang="{language}"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style>",
            f"<h1>{title}</h1>",
            f'<p class="note">{when:%Y-%m-%d %H:%M} · {text["machine"]}: {escape(machine())}</p>',
            _verdict(outcome, text),
            _table(_figures(outcome, text), (text["figure"], text["measured"], text["limit"])),
            f"<h2>{text['over_time']}</h2>",
            _plot(outcome.seconds, text),
            f"<h2>{text['worst']}</h2>",
            _table(
                _worst(outcome.members),
                (text["user"], text["lost"], text["stood"], text["slowest"]),
            ),
            "</html>",
            "",
        ]
    )


def machine() -> str:
    """Processor, number of them, and kernel."""
    name = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    if models:
        name = f"{len(models)} x {models[0]}"
    return f"{name}, {platform.system()} {platform.release()}"


def _verdict(outcome: Outcome, text: dict[str, str]) -> str:
    if outcome.passed:
        return f'<p class="verdict good">{text["passed"]}</p>'
    why = [*outcome.missed, *([f"{text['partial']}: {outcome.reason}"] if outcome.partial else [])]
    items = "".join(f"<li>{escape(each)}</li>" for each in why)
    return f'<div class="verdict bad">{text["missed"]}<ul>{items}</ul></div>'


def _figures(outcome: Outcome, text: dict[str, str]) -> list[tuple[str, str, str]]:
    figures, limits = outcome.figures, outcome.scenario.limits

    def row(key: str, measured: str, limit: float | None = None) -> tuple[str, str, str]:
        return text[key], measured, "" if limit is None else f"{limit:g}"

    failed = figures["failed_joins"] + figures["without_picture"]
    return [
        row("users", f"{figures['joined']} / {figures['users']}"),
        row("failed_joins", str(failed), limits.failed_joins),
        row("join", _of(figures["join_ms"], "p50", "p95", "worst"), limits.join_p95_ms),
        row("picture", _of(figures["first_picture_ms"], "p50", "p95", "worst")),
        row("loss", _number(figures["loss_ratio"]), limits.loss_ratio),
        row("latency", _of(figures["latency_ms"], "p50", "p99", "max"), limits.latency_p99_ms),
        row("freezes", str(figures["freezes_over_500ms"]), limits.freezes_over_500ms),
        row("traffic", f"{figures['packets_s']} / {figures['mbit_s']}"),
        row("cpu", str(figures["server_cpu"])),
        row("rss", f"{figures['server_rss_kb'] // 1024} / {figures['rss_kb_per_user']}"),
        row("late", _number(figures["generator_late_ms"])),
    ]


def _of(figures: dict[str, float | None] | None, *names: str) -> str:
    return " / ".join(_number((figures or {}).get(name)) for name in names)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _worst(members: Sequence[dict[str, Any]]) -> list[tuple[str, ...]]:
    ranked = sorted(
        members,
        key=lambda each: (each["long_freezes"], each["lost"], each["worst_latency_us"]),
        reverse=True,
    )
    return [
        (
            str(each["user"]),
            str(each["lost"]),
            str(each["long_freezes"]),
            f"{each['worst_latency_us'] / 1000:.1f}",
        )
        for each in ranked[:_WORST]
    ]


def _table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _plot(seconds: Sequence[Second], text: dict[str, str]) -> str:
    def curve(name: str, colour: str, value: Callable[[Second], float | None]) -> Curve:
        points = [(each.at_s, found) for each in seconds if (found := value(each)) is not None]
        return Curve(name, colour, points)

    def panel(title: str, *curves: Curve) -> Panel:
        most = max((value for each in curves for _, value in each.points), default=0)
        return Panel(title, "", _round_up(most), curves)

    panels = [
        panel(
            text["users_now"],
            curve(text["joined"], "#1f5fbf", lambda each: each.joined),
            curve(text["failed"], "#d33", lambda each: each.failed),
        ),
        panel(
            text["latency_now"],
            curve("p99", "#d07a00", lambda each: each.latency_p99_ms),
            curve("p50", "#1f5fbf", lambda each: each.latency_p50_ms),
        ),
        panel(text["lost_now"], curve("", "#d33", lambda each: each.lost)),
        panel(text["traffic_now"], curve("", "#1f5fbf", lambda each: each.bits / 1e6)),
        panel(text["cpu"], curve("", "#1f5fbf", lambda each: each.server_cpu)),
        panel(text["rss_now"], curve("", "#1f5fbf", lambda each: each.server_rss_kb / 1024)),
    ]
    return draw("", max([1.0, *(each.at_s for each in seconds)]), panels)


def _round_up(value: float) -> float:
    """To one, two or five of a power of ten: where an axis ends."""
    if value <= 0:
        return 1
    power = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.01
    return next(power * step for step in (1, 2, 5, 10, 100) if power * step >= value)
