"""Setting up: addresses as people give them, files written whole or not at all, consent by hand."""

from __future__ import annotations

import stat
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd import config
from syncd.config import reading
from syncd.errors import ConfigError
from syncd.secrets import Secret
from syncd.services import setup
from syncd.services.address import account_url, database_url
from syncd.services.consent_by_hand import page, read_code
from syncd.services.settings_file import quoted, render
from syncd.services.setup import Answers, Application, Places, settings_of, staged

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
CANARY = "c0ffee5ecret0fthe0wner0ne1two3x4"
APP = Application("id-7", Secret("app-secret-canary"), "https://we.example/back", "https://ws.test")


def answers(**changes: object) -> Answers:
    given: dict[str, object] = {
        "url": "https://acme.worksection.com",
        "auth": "md5",
        "database": "sqlite:///syncd.db",
        "key": Secret(CANARY),
    }
    return Answers(**{**given, **changes})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("acme", "https://acme.worksection.com"),
        (" Acme \n", "https://acme.worksection.com"),
        ("acme.worksection.com", "https://acme.worksection.com"),
        ("ACME.Worksection.com.", "https://acme.worksection.com"),
        ("https://acme.worksection.com/project/12/34/?a=b#com7", "https://acme.worksection.com"),
        ("http://acme.worksection.com:80/", "https://acme.worksection.com"),
        ("<https://acme.worksection.com/>", "https://acme.worksection.com"),
        ("https://tasks.acme.com/x", "https://tasks.acme.com"),
        ("http://127.0.0.1:8080/api/", "http://127.0.0.1:8080"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost", "http://localhost"),
    ],
)
def test_the_account_is_understood_from_what_people_paste(given: str, expected: str) -> None:
    assert expected == account_url(given)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "worksection.com",
        "https://www.worksection.com/login",
        "anna@acme.com",
        "https://me:pw@acme.worksection.com",
        "ftp://acme.worksection.com",
        "two words",
        "https://acme.worksection.com:99999",
        "7776461cd931e7b1c8e9632ff8e979ce",
    ],
)
def test_what_names_no_account_is_refused_and_not_said_back(given: str) -> None:
    with pytest.raises(ConfigError) as caught:
        account_url(given)
    assert "worksection.com" in given or not given or given not in str(caught.value)


def test_a_pasted_api_address_leaves_its_hash_behind() -> None:
    given = "https://acme.worksection.com/api/admin/v2/?action=get_tasks&hash=0123456789abcdef"
    assert account_url(given) == "https://acme.worksection.com"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("mirror.db", "sqlite:////work/mirror.db"),
        ("/data/mirror.db", "sqlite:////data/mirror.db"),
        ("sqlite:///beside.db", "sqlite:///beside.db"),
        ("postgresql://anna@db/acme", "postgresql+psycopg://anna@db/acme"),
        ("postgres://db/acme", "postgresql+psycopg://db/acme"),
        ("mysql://db/acme", "mysql://db/acme"),
    ],
)
def test_a_database_is_understood_from_a_path_or_an_address(given: str, expected: str) -> None:
    assert expected == database_url(given, folder=Path("/work"))


def write(where: Places, what: Answers) -> None:
    with staged(where) as stage:
        if what.key is not None:
            stage.put(where.key, f"{what.key.reveal()}\n")
        if what.application is not None:
            stage.put(where.client_secret, what.application.client_secret.reveal())
        stage.put(where.config, render(what, where, day=NOW), mode=where.config_mode(what))
        stage.commit(what.auth)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"timezone": "Europe/Kyiv", "text": True, "archived": True},
        {"database": "postgresql+psycopg://db/acme", "schema": 'odd "name"'},
        {"auth": "hmac"},
        {"auth": "oauth2", "key": None, "application": APP},
    ],
    ids=["plain", "all", "postgresql", "hmac", "oauth2"],
)
def test_what_is_written_loads_as_what_was_answered(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    where, what = Places(tmp_path / "syncd.toml"), answers(**changes)
    write(where, what)
    loaded, meant = config.load(where.config, {}), settings_of(what, where, {})
    assert meant.account.api_key == loaded.account.api_key
    assert meant.account.oauth_client_secret == loaded.account.oauth_client_secret
    assert meant.account.oauth_token_file == loaded.account.oauth_token_file
    names = ("url", "auth", "timezone", "oauth_client_id", "oauth_url")
    assert [getattr(meant.account, name) for name in names] == [
        getattr(loaded.account, name) for name in names
    ]
    assert (meant.database, meant.pull, meant.path) == (
        loaded.database,
        loaded.pull,
        loaded.path,
    )


def test_the_key_is_in_its_own_closed_file_and_nowhere_else(tmp_path: Path) -> None:
    where = Places(tmp_path / "syncd.toml")
    write(where, answers())
    assert where.key.read_text() == f"{CANARY}\n"
    assert stat.S_IMODE(where.key.stat().st_mode) == 0o600
    assert CANARY not in where.config.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["syncd.key", "syncd.toml"]


def test_a_stage_that_is_not_committed_leaves_nothing(tmp_path: Path) -> None:
    where = Places(tmp_path / "a" / "b" / "syncd.toml")
    with pytest.raises(KeyboardInterrupt), staged(where) as stage:
        stage.put(where.key, CANARY)
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_is_closed_where_a_password_stands_in_it(tmp_path: Path) -> None:
    system, own = Places(setup.SYSTEM / "syncd.toml"), Places(tmp_path / "syncd.toml")
    with_password = answers(database="postgresql+psycopg://anna:pw@db/acme")
    assert system.config_mode(answers()) == 0o644
    assert system.config_mode(with_password) == 0o600
    assert own.config_mode(answers()) == 0o600


@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_a_string_of_toml(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}") == {"x": text}


def test_the_usual_place_depends_on_who_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "_places", lambda _: ())
    home = {"HOME": str(tmp_path / "home")}
    usual = tmp_path / "home" / ".config" / "syncd" / "syncd.toml"
    assert setup.places(None, home, is_root=False).config == usual
    assert setup.places(None, home, is_root=True).config == Path("/etc/syncd/syncd.toml")
    named = setup.places(Path("here.toml"), home, is_root=True)
    assert (named.config, named.key) == (tmp_path / "here.toml", tmp_path / "here.key")
    assert setup.places(None, {"SYNCD_CONFIG": "/x/y.toml"}, is_root=False).config == Path(
        "/x/y.toml"
    )


def test_the_system_keeps_its_data_out_of_etc() -> None:
    assert Places(Path("/etc/syncd/acme.toml")).database == "sqlite:////var/lib/syncd/acme/acme.db"
    assert Places(Path("/home/a/acme.toml")).database == "sqlite:///acme.db"


def redirected(**changes: str) -> str:
    query = parse_qs(urlsplit(page(APP, now=NOW)).query)
    state = changes.get("state", query["state"][0])
    return f"https://we.example/back?code={changes.get('code', 'def502canary')}&state={state}"


def test_the_page_asks_for_what_is_needed_and_holds_no_secret() -> None:
    address = page(APP, now=NOW)
    query = parse_qs(urlsplit(address).query)
    assert "app-secret-canary" not in address
    assert query["response_type"] == ["code"]
    assert query["redirect_uri"] == ["https://we.example/back"]
    assert {"projects_read", "tasks_read", "tasks_write", "tags_read", "users_read"} <= set(
        query["scope"][0].split(",")
    )


def test_a_code_is_read_from_the_address_or_by_itself() -> None:
    later = NOW + timedelta(minutes=9)
    assert read_code(redirected(), APP, now=later).reveal() == "def502canary"
    assert read_code(" def502canary\n", APP, now=later).reveal() == "def502canary"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (redirected(state="1.2"), "state"),
        (redirected(state=""), "state"),
        (redirected(code=""), "no code"),
        ("https://we.example/back?error=access_denied", "access_denied"),
        ("", "no code"),
        ("two words", "no code"),
    ],
)
def test_an_address_that_is_no_answer_is_refused(given: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_code(given, APP, now=NOW)


def test_a_forged_or_old_state_is_refused() -> None:
    other = Application("id-7", Secret("another-secret"), APP.redirect_uri, APP.oauth_url)
    with pytest.raises(ConfigError, match="state"):
        read_code(redirected(), other, now=NOW)
    with pytest.raises(ConfigError, match="too old"):
        read_code(redirected(), APP, now=NOW + timedelta(hours=2))
