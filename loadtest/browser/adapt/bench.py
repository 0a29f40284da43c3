"""Runs the cases and judges them."""

from dataclasses import dataclass
from statistics import median
from typing import Any

from loadtest.browser.adapt.cases import CASES, Case, Limit, Measured
from loadtest.errors import LoadtestError


class UnknownCaseError(LoadtestError):
    """No scenario of the bench has this name."""

    code = "unknown_scenario"


@dataclass(frozen=True, slots=True)
class Entry:
    """One scenario: every run's measurements."""

    case: Case
    runs: list[Measured]

    @property
    def passed(self) -> bool:
        """Whether the worst run kept every limit."""
        return all(limit.holds(self._worst(field)) for field, limit in self.case.limits.items())

    def _worst(self, field: str) -> float:
        values = [run[field] for run in self.runs]
        limit = self.case.limits.get(field)
        return min(values) if limit and limit.least is not None else max(values)

    def as_dict(self) -> dict[str, Any]:
        fields = {
            field: {
                "median": round(median(run[field] for run in self.runs), 3),
                "worst": round(self._worst(field), 3),
                "values": [round(run[field], 3) for run in self.runs],
            }
            for field in self.runs[0]
        }
        limits = {field: _told(limit) for field, limit in self.case.limits.items()}
        return {**fields, "runs": len(self.runs), "limits": limits, "pass": self.passed}


def _told(limit: Limit) -> dict[str, float]:
    sides = {"most": limit.most, "least": limit.least}
    return {side: value for side, value in sides.items() if value is not None}


@dataclass(frozen=True, slots=True)
class AdaptReport:
    """One entry a scenario."""

    entries: dict[str, Entry]

    @property
    def passed(self) -> bool:
        return all(entry.passed for entry in self.entries.values())

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return {name: entry.as_dict() for name, entry in self.entries.items()}


def run(scenario: str | None = None, runs: int = 10) -> AdaptReport:
    """Measure one scenario, or all, in calls of our own on loopback.

    Raises UnknownCaseError, or LoadtestError when the server or Chromium cannot be had.
    """
    if scenario is not None and scenario not in CASES:
        names = ", ".join(CASES)
        raise UnknownCaseError(f"{scenario} is no scenario of the bench", f"Give one of: {names}")
    chosen = {name: case for name, case in CASES.items() if scenario in (None, name)}
    return AdaptReport({name: _measure(case, runs) for name, case in chosen.items()})


def _measure(case: Case, runs: int) -> Entry:
    with case.measured() as measure:
        return Entry(case, [measure() for _ in range(runs)])
