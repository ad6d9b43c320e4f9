"""Settings: read once, checked at once, every bad one named with what to do, and no secret shown."""

from pathlib import Path

import pytest

from bot.config import EXAMPLE_KEY, SETTINGS, TWILIO_ADDRESS, BadConfig, Config, needs

LONG = "a-secret-that-is-long-enough-for-real-clients"
REAL = {
    "TWILIO_ACCOUNT_SID": "AC" + "a" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "TWILIO_FROM": "+12025550100",
    "SECRET_KEY": LONG,
}


def refusal(**env: str) -> str:
    with pytest.raises(BadConfig) as refused:
        Config.read(env)
    return str(refused.value)


def test_nothing_set_is_a_set_of_defaults() -> None:
    """What isn't set has the documented default, and can't send."""
    config = Config.read({})
    assert config == Config()
    assert (config.port, config.settle_seconds, config.lease_seconds, config.pace) == (8000, 600, 60, 1.0)
    assert config.twilio_api_url == TWILIO_ADDRESS
    assert not config.sends_texts
    assert not config.sends_mail


def test_every_setting_reaches_its_field() -> None:
    """One environment with all of them; each is read, and nothing else is."""
    env = {
        "DATABASE_URL": "sqlite:////srv/attune.db",
        "DATA_FOLDER": "/srv/attune",
        "PUBLIC_URL": "https://attune.riverside.example/prefix/",
        "SECRET_KEY": f"{LONG}, older-{LONG}",
        "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "TWILIO_AUTH_TOKEN": "new, old",
        "TWILIO_MESSAGING_SERVICE_SID": "MG" + "0" * 32,
        "TWILIO_FROM": "+12025550100",
        "TWILIO_API_URL": "http://127.0.0.1:4010/",
        "SMTP_URL": "smtp://user:p%40ss@mail.example:587",
        "MAIL_FROM": "Riverside <notes@riverside.example>",
        "MAIL_WEBHOOK_SECRET": "for the mail server",
        "IMAP_URL": "imaps://notes:p%40ss@mail.example/INBOX",
        "PORT": "8080",
        "SEND_SETTLE_SECONDS": "30",
        "SEND_LEASE_SECONDS": "5",
        "SEND_PACE": "0.5",
        "ATTUNE_CLOCK_URL": "http://127.0.0.1:4010/clock",
    }
    assert set(env) | {"SECRET_KEY_FILE"} == set(SETTINGS)
    assert Config.read(env) == Config(
        database_url="sqlite:////srv/attune.db",
        data_folder="/srv/attune",
        public_url="https://attune.riverside.example/prefix",
        secrets=(LONG, f"older-{LONG}"),
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_tokens=("new", "old"),
        twilio_messaging_service_sid="MG" + "0" * 32,
        twilio_from="+12025550100",
        twilio_api_url="http://127.0.0.1:4010",
        smtp_url="smtp://user:p%40ss@mail.example:587",
        mail_from="Riverside <notes@riverside.example>",
        mail_webhook_secret="for the mail server",
        imap_url="imaps://notes:p%40ss@mail.example/INBOX",
        port=8080,
        settle_seconds=30,
        lease_seconds=5,
        pace=0.5,
        clock_url="http://127.0.0.1:4010/clock",
    )


def test_only_the_listed_settings_are_read() -> None:
    """SETTINGS is what docs/operators.md must name: a setting read without being listed fails here."""
    asked = set()

    class Asked(dict[str, str]):
        def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
            asked.add(name)
            return default

        __getitem__ = get  # type: ignore[assignment]

    Config.read(Asked())
    assert asked == set(SETTINGS)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PUBLIC_URL", "attune.example", "must be an address like http://host"),
        ("PUBLIC_URL", "ftp://attune.example", "must be an address like http://host"),
        ("PUBLIC_URL", "https://", "must be an address like http://host"),
        ("PUBLIC_URL", "https://attune.example:port", "must be an address like http://host"),
        ("PUBLIC_URL", "https://attune.example:99999", "must be an address like http://host"),
        ("PUBLIC_URL", "https://attune.example/?a=b", "must be an address like http://host"),
        ("TWILIO_API_URL", "api.twilio.com", "must be an address like http://host"),
        ("SMTP_URL", "http://mail.example", "must be an address like smtp://host"),
        ("SMTP_URL", "smtp://user:p#ss@mail.example", "write %23 for #"),
        ("SMTP_URL", "smtp://user:p/ss@mail.example", "%2F for /"),
        ("ATTUNE_CLOCK_URL", "clock", "must be an address like http://host"),
        ("PORT", "http", "must be a number from 1 to 65535; it is 'http'"),
        ("PORT", "0", "must be a number from 1 to 65535"),
        ("PORT", "80.5", "must be a whole number; it is 80.5"),
        ("PORT", "٨٠٨٠", "must be a number"),
        ("SEND_PACE", "-1", "must be a number from 0 to 1000"),
        ("SEND_PACE", "1e3", "must be a number from 0 to 1000"),
        ("SEND_SETTLE_SECONDS", "0", "must be a number from 1 to 86400"),
        ("SEND_LEASE_SECONDS", "4000", "must be a number from 1 to 3600"),
        ("TWILIO_ACCOUNT_SID", "SK" + "0" * 32, "must be AC and 32 more"),
        ("TWILIO_MESSAGING_SERVICE_SID", "XY123", "must be MG and 32 more"),
        ("TWILIO_FROM", "2025550100x", "a number with its country code"),
        ("TWILIO_FROM", "(202) 555-0100", "a number with its country code"),
        ("MAIL_FROM", "Riverside", "must be one mail address"),
        ("MAIL_FROM", "a@x.example, b@x.example", "must be one mail address"),
        ("MAIL_FROM", "a@x.example\nBcc: b@x.example", "must be one mail address"),
        ("SECRET_KEY_FILE", "/no/such/file", "can't be read: FileNotFoundError"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_what_to_do(name: str, value: str, told: str) -> None:
    """The first word is the setting."""
    text = refusal(**{name: value})
    assert text.startswith(name)
    assert told in text


def test_every_bad_setting_is_named_at_once() -> None:
    """Nobody should have to start it five times to learn of five mistakes."""
    lines = refusal(PUBLIC_URL="x", PORT="x", SEND_PACE="x", MAIL_FROM="x", SECRET_KEY_FILE="/x").splitlines()
    assert sorted(line.split()[0] for line in lines) == [
        "MAIL_FROM",
        "PORT",
        "PUBLIC_URL",
        "SECRET_KEY_FILE",
        "SEND_PACE",
    ]


def test_a_password_is_never_repeated() -> None:
    """Not in the words about a bad address, nor in a repr that may end in a log."""
    assert "hunter2" not in refusal(SMTP_URL="smtp://user:hunter2/@:25:25")
    config = Config.read({**REAL, "SMTP_URL": "smtp://user:hunter2@mail.example", "TWILIO_AUTH_TOKEN": "hunter2"})
    assert "hunter2" not in repr(config)
    assert LONG not in repr(config)


def test_blanks_around_a_value_are_no_part_of_it() -> None:
    """As they come from a file of settings with a blank at the end of a line."""
    config = Config.read({name: f" {value} " for name, value in REAL.items()})
    assert (config.twilio_account_sid, config.twilio_from) == (REAL["TWILIO_ACCOUNT_SID"], REAL["TWILIO_FROM"])


def test_a_key_file_holds_the_newest_key_first(tmp_path: Path) -> None:
    """One key a line; comments, blank lines and a byte order mark are no keys."""
    file = tmp_path / "keys"
    file.write_text(f"\ufeff# made in May\n{LONG}\n\n  older-{LONG}  \n", "utf-8")
    assert Config.read({"SECRET_KEY_FILE": str(file)}).secrets == (LONG, f"older-{LONG}")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only a comment\n", b"\xff\xfe\x00"])
def test_a_key_file_without_a_key_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty key would seal nothing."""
    file = tmp_path / "keys"
    file.write_bytes(content)
    assert refusal(SECRET_KEY_FILE=str(file)).startswith("SECRET_KEY_FILE")


def test_keys_from_two_places_are_refused(tmp_path: Path) -> None:
    """While changing a key nobody must have to guess which of them counts."""
    file = tmp_path / "keys"
    file.write_text(LONG)
    assert "both set" in refusal(SECRET_KEY=LONG, SECRET_KEY_FILE=str(file))


def test_the_examples_key_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    """Everybody can read it: what it seals isn't sealed."""
    file = tmp_path / "keys"
    file.write_text(EXAMPLE_KEY)
    for env in ({"SECRET_KEY": EXAMPLE_KEY}, {"SECRET_KEY": f"{LONG},{EXAMPLE_KEY}"}, {"SECRET_KEY_FILE": str(file)}):
        assert refusal(**env).startswith("SECRET_KEY is the example's")
        assert "make your own with `attune new-key`" in refusal(**env)


def test_a_short_key_is_refused_where_real_clients_are_texted() -> None:
    """And let be in the sandbox."""
    short = {**REAL, "SECRET_KEY": "short"}
    assert "at least 32 characters" in refusal(**short)
    assert "at least 32 characters" in refusal(**{**REAL, "SECRET_KEY": f"{LONG},short"})
    assert Config.read({**short, "TWILIO_API_URL": "http://127.0.0.1:4010"}).secrets == ("short",)


@pytest.mark.parametrize(
    "address", ["", "https://api.twilio.com", "https://API.Twilio.com/", "https://api.dublin.ie1.twilio.com",
                "https://api.twilio.com.", "https://twilio.com:443"],
)  # fmt: skip
def test_a_clock_that_jumps_is_refused_beside_real_phones(address: str) -> None:
    """ATTUNE_CLOCK_URL is for the sandbox: with it real clients would be texted at night."""
    assert "for the sandbox only" in refusal(ATTUNE_CLOCK_URL="http://127.0.0.1:4010/clock", TWILIO_API_URL=address)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:4010", "http://api.twilio.com.evil.example", "http://nottwilio.com"]
)
def test_the_sandbox_is_no_real_twilio(address: str) -> None:
    """Only Twilio's own domain is."""
    assert not Config.read({"TWILIO_API_URL": address}).real_twilio


@pytest.mark.parametrize("missing", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"])
def test_texts_need_account_token_and_sender(missing: str) -> None:
    """With one of the three missing there is no channel."""
    assert Config.read(REAL).sends_texts
    assert not Config.read({**REAL, missing: ""}).sends_texts


def test_a_command_names_every_setting_it_lacks() -> None:
    """By the name an operator sets it under."""
    with pytest.raises(BadConfig) as refused:
        needs(Config(), "secrets", "public_url", "port")
    lines = str(refused.value).splitlines()
    assert [line.split(" is not set")[0] for line in lines] == ["SECRET_KEY (or SECRET_KEY_FILE)", "PUBLIC_URL"]
