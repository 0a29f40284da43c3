"""Stands where signalling will be attached: nobody is connected, so nobody is told."""


class Unattended:
    def hr_changed(self, organisation: str, interview_id: str) -> None:
        return

    def revoke(self, participant: str) -> None:
        return

    def __len__(self) -> int:
        return 0
