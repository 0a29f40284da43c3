"""The operator's guide names every setting there is, and none that is not."""

import re
from pathlib import Path

from config.settings import PREFIX, Settings

GUIDE = Path(__file__).parents[2] / "docs" / "operations" / "README.md"


def test_the_guide_lists_exactly_the_settings() -> None:
    known = {
        f"{PREFIX}{section}_{field}".upper()
        for section, info in Settings.model_fields.items()
        for field in info.annotation.model_fields
    }
    named = set(re.findall(rf"{PREFIX}[A-Z]+_[A-Z_]+", GUIDE.read_text()))
    assert named == known
