"""HR over the wire: schedules interviews with the API, from a link's session."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp

from loadtest.errors import LoadtestError


@dataclass(frozen=True, slots=True)
class RoomLinks:
    """The links of a one-round interview."""

    candidate: str
    panel: tuple[str, ...]


class Desk:
    """An open HR session. The HTTP client keeps its cookie."""

    def __init__(self, http: aiohttp.ClientSession, origin: str) -> None:
        self._http = http
        self._origin = origin

    @classmethod
    async def open(cls, http: aiohttp.ClientSession, url: str) -> Self:
        """Redeem an HR link. Raises LoadtestError."""
        parts = urlsplit(url)
        desk = cls(http, f"{parts.scheme}://{parts.netloc}")
        await desk._post(f"/api/links/{parts.path.rpartition('/')[2]}/redeem", {})
        return desk

    async def schedule(self, interviewers: int) -> RoomLinks:
        """An interview of one round that lets its candidate in by itself. Raises LoadtestError."""
        now = datetime.now(UTC)
        panel = [f"Interviewer {number}" for number in range(1, interviewers + 1)]
        interview = await self._post(
            "/api/interviews",
            {
                "title": "Benchmark",
                "starts_at": now.isoformat(),
                "ends_at": (now + timedelta(hours=1)).isoformat(),
                "rounds": [{"title": "Only", "admission": "automatic"}],
                "participants": [
                    {"name": "Candidate", "role": "candidate"},
                    *({"name": name, "role": "interviewer", "round": 0} for name in panel),
                ],
            },
        )
        people = interview["participants"]
        candidate, *others = sorted(people, key=lambda each: each["role"] != "candidate")
        return RoomLinks(candidate["link"], tuple(each["link"] for each in others))

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Origin": self._origin}
        async with self._http.post(self._origin + path, json=body, headers=headers) as response:
            said: dict[str, Any] = await response.json()
        if response.status not in (200, 201):
            raise LoadtestError(f"{path} was refused: {said['error']['code']}")
        return said
