"""What can go wrong in a benchmark or a load test; each says the remedy."""


class LoadtestError(Exception):
    """Root of the package's errors; `code` is stable."""

    code = "loadtest_failed"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class MissingToolError(LoadtestError):
    """A program that the benchmark drives is not installed."""

    code = "missing_tool"

    def __init__(self, tool: str, remedy: str) -> None:
        super().__init__(f"{tool} was not found", remedy)


class ServerDiedError(LoadtestError):
    """The server under test did not come up, or ended early."""

    code = "server_died"
