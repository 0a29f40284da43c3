"""Settings: read once, passed down by section."""

from config.errors import SettingsError
from config.settings import (
    HrContactSettings,
    HttpSettings,
    LogSettings,
    MediaSettings,
    RoomSettings,
    SecuritySettings,
    Settings,
    StorageSettings,
    TurnSettings,
    read_settings,
)

__all__ = [
    "HrContactSettings",
    "HttpSettings",
    "LogSettings",
    "MediaSettings",
    "RoomSettings",
    "SecuritySettings",
    "Settings",
    "SettingsError",
    "StorageSettings",
    "TurnSettings",
    "read_settings",
]
