"""One sentence about an interview's connections, for people who read no figures."""

from collections.abc import Sequence
from dataclasses import dataclass

from hr.interviews.interview import Interview, Participant, Role
from hr.quality.record import QualityTotals

TROUBLED_RATIO = 0.02
FROZEN_RATIO = 0.02
CONCEALED_RATIO = 0.03

_ROLES: dict[Role, tuple[str, str]] = {
    "candidate": ("候选人", "candidate"),
    "interviewer": ("面试官", "interviewer"),
    "observer": ("旁听", "observer"),
    "hr": ("HR", "HR"),
}


@dataclass(frozen=True, slots=True)
class QualityLine:
    """The same sentence in both languages."""

    zh: str
    en: str


def quality_line(interview: Interview, totals: Sequence[QualityTotals]) -> QualityLine | None:
    """Say how it was, and who had trouble most; None before anybody was recorded."""
    if not totals:
        return None
    worst = max(totals, key=lambda one: (_is_troubled(one), one.troubled_ratio, one.freeze_ratio))
    person = interview.participant(worst.participant_id)
    if person is None or not _is_troubled(worst):
        return _all_well(totals)
    return _trouble(person, worst)


def _is_troubled(one: QualityTotals) -> bool:
    return (
        one.troubled_ratio >= TROUBLED_RATIO
        or one.freeze_ratio >= FROZEN_RATIO
        or one.concealed_ratio >= CONCEALED_RATIO
    )


def _all_well(totals: Sequence[QualityTotals]) -> QualityLine:
    firsts = sorted(one.first_frame_ms for one in totals if one.first_frame_ms is not None)
    count = len(totals)
    zh, en = f"连接良好({count} 人)", f"Good connections ({_count(count, 'person', 'people')})"
    if firsts:
        seconds = firsts[len(firsts) // 2] / 1000
        zh += f",首个画面 {seconds:.1f} 秒"
        en += f", first picture after {seconds:.1f} s"
    return QualityLine(f"{zh}。", f"{en}.")


def _trouble(person: Participant, one: QualityTotals) -> QualityLine:
    zh_role, en_role = _ROLES[person.role]
    zh = [f"{_percent(one.troubled_ratio)} 的时间连接较差"] if one.troubled_ratio else []
    en = [f"poor for {_percent(one.troubled_ratio)} of the time"] if one.troubled_ratio else []
    if one.freezes:
        zh.append(f"画面卡顿 {one.freezes} 次共 {one.frozen_ms / 1000:.1f} 秒")
        en.append(f"{_count(one.freezes, 'freeze', 'freezes')} ({one.frozen_ms / 1000:.1f} s)")
    if one.concealed_ratio >= CONCEALED_RATIO:
        zh.append(f"{_percent(one.concealed_ratio)} 的声音受损")
        en.append(f"{_percent(one.concealed_ratio)} of the sound damaged")
    if one.reconnects:
        zh.append(f"重连 {one.reconnects} 次")
        en.append(_count(one.reconnects, "reconnect", "reconnects"))
    servers = 2 * one.server_ms > one.fair_ms + one.poor_ms + one.lost_ms
    zh_end = "原因在服务器。" if servers else "原因在网络或设备,与本人表现无关。"
    en_end = (
        "The server was the cause." if servers else "The network or the device did that, not they."
    )
    return QualityLine(
        f"{person.name}({zh_role})连接不稳:{','.join(zh)}。{zh_end}",
        f"{person.name} ({en_role}): {', '.join(en)}. {en_end}",
    )


def _percent(ratio: float) -> str:
    return f"{max(1, round(100 * ratio))}%"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
