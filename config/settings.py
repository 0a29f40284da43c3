"""`Settings`: read from the environment once, checked, frozen, passed down by section.

A field is set by `MIANSHI_<SECTION>_<FIELD>`, for example `MIANSHI_HTTP_HOST`. A few have the
name that other programs use too: `PORT`, `MIANSHI_DATA`, `DATABASE_URL`, `REDIS_URL`.
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.errors import SettingsError

PREFIX = "MIANSHI_"

WELL_KNOWN = {
    "PORT": ("http", "port"),
    "MIANSHI_DATA": ("storage", "data_dir"),
    "DATABASE_URL": ("storage", "database_url"),
    "REDIS_URL": ("storage", "redis_url"),
}
"""Variables without a section in their name; the sectioned name wins where both are set."""


def _split_commas(value: object) -> object:
    """A list is written with commas in the environment."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


_TURN_URL = re.compile(
    r"(?:stuns?:[\w.\-\[\]:]+|turns?:[\w.\-\[\]:]+(?:\?transport=(?:udp|tcp))?)", re.ASCII
)
"""RFC 7064 and RFC 7065; who reads the whole grammar is the browser."""


def _is_turn_url(value: str) -> str:
    if not _TURN_URL.fullmatch(value):
        raise ValueError("should be URLs such as turn:turn.example.com:3478?transport=udp")
    return value


def _is_origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise ValueError("should be an origin such as https://interviews.example.com")
    return f"{parts.scheme}://{parts.netloc}"


Port = Annotated[int, Field(ge=0, le=65535)]
Origin = Annotated[str, AfterValidator(_is_origin)]
TurnUrls = Annotated[
    tuple[Annotated[str, AfterValidator(_is_turn_url)], ...],
    NoDecode,
    BeforeValidator(_split_commas),
]
Strings = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_commas)]
Origins = Annotated[tuple[Origin, ...], NoDecode, BeforeValidator(_split_commas)]


class Section(BaseModel):
    """A part of the settings; unknown names in it are refused, so a typing mistake shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class HttpSettings(Section):
    """Where pages, API and Socket.IO are served."""

    host: str = "127.0.0.1"
    port: Port = 8080
    tls: bool = False
    """Serve HTTPS; with no certificate given, one is made in the data directory."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    public_url: Origin | None = None
    """How browsers reach us, when a proxy stands in front. Links begin with it."""
    allowed_origins: Origins = ()
    """Further origins that pages may call us from; our own is always allowed."""
    trust_forwarded_for: bool = False
    """Take a client's address from X-Forwarded-For: only behind a proxy that sets it."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=10 * 2**20)] = 2**20
    static_dir: Path = Path(__file__).parents[1] / "static" / "dist"
    failures_per_minute: Annotated[int, Field(ge=1)] = 60
    """Unknown links, links of other devices and bad tokens that one address may try."""
    metrics_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """Who sends it as bearer may read /metrics; without one, only this machine may, and nobody
    once `public_url` or `trust_forwarded_for` say that a proxy makes everyone look local."""

    @model_validator(mode="after")
    def _certificate_has_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("needs both tls_certificate and tls_key, or neither")
        return self

    @property
    def serves_tls(self) -> bool:
        return self.tls or self.tls_certificate is not None


class MediaSettings(Section):
    """The media engine's one UDP port."""

    host: str | None = None
    """Address to bind; by default the one that HTTP binds."""
    port: Port | None = None
    """By default the same number as HTTP's port."""
    tcp: bool = True
    """Let clients connect by TCP where their network lets no UDP through."""
    tcp_port: Port | None = None
    """By default the media port's number; the next one where HTTP has that."""
    advertised: Strings = ()
    """Addresses offered to browsers as ICE candidates; by default those that we bind."""
    max_peers: Annotated[int, Field(ge=1)] = 2000
    max_handshakes: Annotated[int, Field(ge=1)] = 64
    """DTLS handshakes under way at once."""


class TurnSettings(Section):
    """A TURN server that clients may be relayed by; coturn with `use-auth-secret`."""

    urls: TurnUrls = ()
    """Given to clients as they are; none: clients come to us directly, by UDP or TCP."""
    secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """Shared with the TURN server (its `static-auth-secret`)."""
    ttl_s: Annotated[int, Field(ge=600, le=86_400)] = 6 * 3600
    """How long a client's credentials let it ask for new relays."""

    @model_validator(mode="after")
    def _relays_need_a_secret(self) -> Self:
        if self.secret is None and any(url.startswith("turn") for url in self.urls):
            raise ValueError("needs MIANSHI_TURN_SECRET, the TURN server's static-auth-secret")
        return self


class SecuritySettings(Section):
    """Lifetimes of what we sign, in seconds."""

    join_token_s: Annotated[int, Field(ge=5, le=300)] = 120
    resume_token_s: Annotated[int, Field(ge=60, le=86_400)] = 6 * 3600
    hr_session_s: Annotated[int, Field(ge=300, le=30 * 86_400)] = 12 * 3600


class StorageSettings(Section):
    """Where things are kept. URLs may hold passwords, so they are secrets."""

    data_dir: Path = Path("data")
    database_url: SecretStr | None = None
    """`postgresql://…` or `sqlite:///…`; by default SQLite in the data directory."""
    redis_url: SecretStr | None = None
    """`redis://…`, `rediss://…` or `unix://…`; by default a private Redis is started."""
    quality_days: Annotated[int, Field(ge=1, le=3650)] = 180
    """How long records of connection quality are kept."""

    @property
    def keys_file(self) -> Path:
        return self.data_dir / "keys.json"


class RoomSettings(Section):
    """Limits of this node."""

    max_rooms: Annotated[int, Field(ge=1)] = 500
    """Rooms with somebody in them. Whoever would open one more is told `busy`."""
    max_participants: Annotated[int, Field(ge=1)] = 2000
    """Seats, lobbies included; a seat that waits for its owner counts."""
    grace_s: Annotated[int, Field(ge=1, le=3600)] = 60
    """How long a seat is kept for someone whose connection died."""


class HrContactSettings(Section):
    """Whom a candidate in trouble can call; shown on every page."""

    name: str = ""
    phone: str = ""

    def __repr__(self) -> str:
        return "HrContactSettings(…)"

    __str__ = __repr__


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"
    """`auto`: readable on a terminal, JSON elsewhere."""


class _WellKnownNames(PydanticBaseSettingsSource):
    """The variables of `WELL_KNOWN`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for variable, (section, field) in WELL_KNOWN.items():
            if value := os.environ.get(variable):
                found.setdefault(section, {})[field] = value
        return found


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
    )

    http: HttpSettings = HttpSettings()
    media: MediaSettings = MediaSettings()
    turn: TurnSettings = TurnSettings()
    security: SecuritySettings = SecuritySettings()
    storage: StorageSettings = StorageSettings()
    rooms: RoomSettings = RoomSettings()
    hr: HrContactSettings = HrContactSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _WellKnownNames(settings_cls)


_SETTINGS: Callable[..., Settings] = Settings
"""Typed so because the sections come as mappings, which pydantic turns into sections."""


def read_settings(overrides: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """Read the environment; `overrides` (section → field → value) win over it.

    Raises SettingsError with one sentence that names the variable and the remedy.
    """
    try:
        return _SETTINGS(**{name: dict(fields) for name, fields in (overrides or {}).items()})
    except ValidationError as error:
        raise _explain(error) from None


def _explain(error: ValidationError) -> SettingsError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    path = tuple(str(part) for part in first["loc"])
    variable = variable_name(path[:2])
    reason = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return SettingsError(variable, f"{variable} is no setting of ours.", "Remove it.")
    message = f"{variable} cannot be used: {reason[:1].lower()}{reason[1:]}."
    return SettingsError(variable, message, f"Set {variable} to such a value or unset it.")


def variable_name(path: tuple[str, ...]) -> str:
    """The environment variable that the person most likely set for this field."""
    for variable, known in WELL_KNOWN.items():
        if known == path and os.environ.get(variable):
            return variable
    return PREFIX + "_".join(path).upper()
