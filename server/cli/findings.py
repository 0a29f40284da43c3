"""What a check of `mianshi doctor` found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """`warning`: works, but not as well as it could."""

    check: str
    state: Literal["ok", "warning", "failed"]
    says: str
