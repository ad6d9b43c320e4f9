"""Every setting, read once from the environment at the edge and checked there.

`docs/operators.md` lists them; a test fails when one is missing from it.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from urllib.parse import urlsplit

TWILIO_ADDRESS = "https://api.twilio.com"
SHORTEST_SECRET = 32
EXAMPLE_KEY = "make-one-with-attune-new-key"  # what .env.example once held: everybody can read it there
# What a setting must look like, and how to say so.
_ACCOUNT = (r"AC[0-9A-Za-z]+", "AC and 32 more letters and digits, as the Twilio console shows it")
_SERVICE = (r"MG[0-9A-Za-z]+", "MG and 32 more letters and digits, as the Twilio console shows it")
_SENDER = (r"\+[1-9][0-9]{3,14}|[0-9]{3,8}", "a number with its country code, like +12025550123, or a short code")
_MAIL = (r"[^\r\n@]*@[^\s@]+", "one mail address, like notes@example.org or Riverside <notes@example.org>")


class BadConfig(Exception):
    """One or more settings are missing or wrong; the message names each and says what to do."""


@dataclass(frozen=True)
class Config:
    """Settings of one process. Secrets stay out of its repr."""

    database_url: str = "sqlite:///var/attune.db"
    data_folder: str = "var"
    public_url: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    twilio_account_sid: str = ""
    twilio_auth_tokens: tuple[str, ...] = field(default=(), repr=False)
    twilio_messaging_service_sid: str = ""
    twilio_from: str = ""
    twilio_api_url: str = TWILIO_ADDRESS
    smtp_url: str = field(default="", repr=False)
    mail_from: str = ""
    mail_webhook_secret: str = field(default="", repr=False)
    imap_url: str = field(default="", repr=False)
    port: int = 8000
    settle_seconds: int = 600
    lease_seconds: int = 60
    pace: float = 1.0
    clock_url: str = ""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Config":
        """Read the environment. Raises BadConfig naming every bad setting at once."""
        reader = _Reader(env)
        config = cls(
            database_url=reader.text("DATABASE_URL") or cls.database_url,
            data_folder=reader.text("DATA_FOLDER") or cls.data_folder,
            public_url=reader.url("PUBLIC_URL").rstrip("/"),
            secrets=reader.secrets(),
            twilio_account_sid=reader.text("TWILIO_ACCOUNT_SID", *_ACCOUNT),
            twilio_auth_tokens=_listed(reader.text("TWILIO_AUTH_TOKEN")),
            twilio_messaging_service_sid=reader.text("TWILIO_MESSAGING_SERVICE_SID", *_SERVICE),
            twilio_from=reader.text("TWILIO_FROM", *_SENDER),
            twilio_api_url=reader.url("TWILIO_API_URL").rstrip("/") or TWILIO_ADDRESS,
            smtp_url=reader.url("SMTP_URL", "smtp", "smtps"),
            mail_from=reader.text("MAIL_FROM", *_MAIL),
            mail_webhook_secret=reader.text("MAIL_WEBHOOK_SECRET"),
            imap_url=reader.url("IMAP_URL", "imaps", "imap"),
            port=reader.whole("PORT", cls.port, 1, 65535),
            settle_seconds=reader.whole("SEND_SETTLE_SECONDS", cls.settle_seconds, 1, 86400),
            lease_seconds=reader.whole("SEND_LEASE_SECONDS", cls.lease_seconds, 1, 3600),
            pace=reader.number("SEND_PACE", cls.pace, 0, 1000),
            clock_url=reader.url("ATTUNE_CLOCK_URL").rstrip("/"),
        )
        reader.problems += _clashes(config)
        if reader.problems:
            raise BadConfig("\n".join(reader.problems))
        return config

    @property
    def sends_texts(self) -> bool:
        """Whether texts can be sent: an account, its token and a sender are set."""
        sender = self.twilio_messaging_service_sid or self.twilio_from
        return bool(self.twilio_account_sid and self.twilio_auth_tokens and sender)

    @property
    def sends_mail(self) -> bool:
        """Whether mail can be sent: a server and a sender are set."""
        return bool(self.smtp_url and self.mail_from)

    @property
    def real_twilio(self) -> bool:
        """Whether texts would go to Twilio's own cloud, and so to real phones."""
        return is_twilio(self.twilio_api_url)


def is_twilio(url: str) -> bool:
    """Whether an address belongs to Twilio itself."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == "twilio.com" or host.endswith(".twilio.com")


def needs(config: Config, *names: str) -> None:
    """Raises BadConfig naming every setting among `names` (fields of Config) that is empty."""
    missing = [_ENV_NAMES[name] for name in names if not getattr(config, name)]
    if missing:
        raise BadConfig("\n".join(f"{name} is not set. docs/operators.md says what goes there." for name in missing))


class _Reader:
    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def text(self, name: str, form: str = "", words: str = "") -> str:
        """The value without the blanks around it; where a form is given, it must fit."""
        value = self.env.get(name, "").strip()
        if value and form and not re.fullmatch(form, value):
            self.problems.append(f"{name} must be {words}.")
        return value

    def url(self, name: str, *schemes: str) -> str:
        value = self.text(name)
        schemes = schemes or ("http", "https")
        try:
            parts = urlsplit(value)
            good = parts.scheme in schemes and bool(parts.hostname) and (parts.port or 1) > 0
            good = good and not parts.query and not parts.fragment
        except ValueError:  # a port that is no number
            good = False
        if value and not good:
            self.problems.append(
                f"{name} must be an address like {schemes[0]}://host or {schemes[0]}://host:1234; in a password "
                "write %23 for #, %2F for /, %3A for : and %40 for @."
            )
        return value if good else ""

    def whole(self, name: str, default: int, low: int, high: int) -> int:
        value = self.number(name, default, low, high)
        if value != int(value):
            self.problems.append(f"{name} must be a whole number; it is {value:g}.")
        return int(value)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        value = self.text(name)
        if not value:
            return default
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) or not low <= float(value) <= high:
            self.problems.append(f"{name} must be a number from {low:g} to {high:g}; it is {value!r}.")
            return default
        return float(value)

    def secrets(self) -> tuple[str, ...]:
        """SECRET_KEY (comma list, newest first), or the lines of SECRET_KEY_FILE (newest first)."""
        path, found = self.text("SECRET_KEY_FILE"), _listed(self.text("SECRET_KEY"))
        if path and found:
            self.problems.append("SECRET_KEY and SECRET_KEY_FILE are both set; keep the one that holds your keys.")
        found = self._secret_file(Path(path)) if path and not found else found
        if EXAMPLE_KEY in found:
            self.problems.append(
                "SECRET_KEY is the example's, which everybody knows; make your own with `attune new-key`."
            )
        return found

    def _secret_file(self, path: Path) -> tuple[str, ...]:
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"SECRET_KEY_FILE can't be read: {error.__class__.__name__}.")
            return ()
        found = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
        if not found:
            self.problems.append("SECRET_KEY_FILE is empty; it holds one key a line, the newest first.")
        return found


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _hasty(config: Config) -> bool:
    return config.settle_seconds < Config.settle_seconds or config.lease_seconds < Config.lease_seconds


def _clashes(config: Config) -> list[str]:
    problems = []
    if config.clock_url and config.real_twilio:
        problems.append(
            "ATTUNE_CLOCK_URL is for the sandbox only: with it texts would go out by a clock that jumps. "
            "Unset it, or set TWILIO_API_URL to the sandbox."
        )
    if config.real_twilio and config.sends_texts and _hasty(config):
        problems.append(
            "SEND_SETTLE_SECONDS must be at least 600, and SEND_LEASE_SECONDS at least 60, where real clients are "
            "texted: Twilio's list of messages lags, and a shorter wait could send twice."
        )
    if config.real_twilio and config.sends_texts and any(len(s) < SHORTEST_SECRET for s in config.secrets):
        problems.append(
            f"SECRET_KEY must be at least {SHORTEST_SECRET} characters where real clients are texted; "
            "make one with `attune new-key`."
        )
    return problems


_ENV_NAMES = {name.name: name.name.upper() for name in fields(Config)} | {
    "secrets": "SECRET_KEY (or SECRET_KEY_FILE)",
    "twilio_auth_tokens": "TWILIO_AUTH_TOKEN",
    "settle_seconds": "SEND_SETTLE_SECONDS",
    "lease_seconds": "SEND_LEASE_SECONDS",
    "pace": "SEND_PACE",
    "clock_url": "ATTUNE_CLOCK_URL",
}

SETTINGS = (
    "DATABASE_URL",
    "DATA_FOLDER",
    "PUBLIC_URL",
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_MESSAGING_SERVICE_SID",
    "TWILIO_FROM",
    "TWILIO_API_URL",
    "SMTP_URL",
    "MAIL_FROM",
    "MAIL_WEBHOOK_SECRET",
    "IMAP_URL",
    "PORT",
    "SEND_SETTLE_SECONDS",
    "SEND_LEASE_SECONDS",
    "SEND_PACE",
    "ATTUNE_CLOCK_URL",
)


def from_environment() -> Config:
    """The settings of this process. Raises BadConfig."""
    return Config.read(os.environ)
