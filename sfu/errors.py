"""Errors of the media plane. `code` is stable: clients and logs rely on it."""


class SfuError(Exception):
    """Root of the package's errors."""

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SdpError(SfuError):
    """The offer cannot be answered.

    Codes: `sdp_too_large`, `sdp_malformed`, `sdp_no_bundle`, `sdp_no_rtcp_mux`, `sdp_ice`,
    `sdp_fingerprint`, `sdp_setup`, `sdp_tracks`, `sdp_no_media`, `sdp_changed`.
    """


class BusyError(SfuError):
    """The node accepts no further connection now. Codes: `node_full`, `node_busy`."""


class UnknownPeerError(SfuError):
    """No such peer, or no longer. Code: `peer_unknown`."""

    def __init__(self) -> None:
        super().__init__("peer_unknown", "the media connection is not known to this node")


class ClosedError(SfuError):
    """The media plane is shut down. Code: `sfu_closed`."""

    def __init__(self) -> None:
        super().__init__("sfu_closed", "the media plane is closed")
