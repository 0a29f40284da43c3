"""The one root error of this package."""


class SettingsError(Exception):
    """A setting has a value that cannot work; `variable` is the name to change."""

    code = "bad_setting"

    def __init__(self, variable: str, message: str, remedy: str) -> None:
        super().__init__(f"{message} {remedy}")
        self.variable = variable
        self.message = message
        self.remedy = remedy
