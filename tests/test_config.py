"""Settings: what is accepted, and one clear line naming the key for what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd import config
from syncd.errors import ConfigError
from syncd.settings import Duration

MINIMAL = '[account]\nurl = "https://acme.worksection.com"\napi_key = "a-secret-key"\n'


@pytest.fixture
def load(tmp_path: Path):
    def load_text(text: str, **environ: str):
        path = tmp_path / "syncd.toml"
        path.write_text(text)
        return config.load(path, environ)

    return load_text


def test_the_defaults_are_those_of_the_manual(load):
    settings = load(MINIMAL)
    assert settings.pull.extra == ("subtasks", "relations", "files")
    assert (settings.pull.interval, settings.pull.archived) == (300, False)
    assert (settings.push.conflicts, settings.push.max_batch) == ("ask", 100)
    assert (settings.limits.requests_per_second, settings.server.listen) == (1.0, "127.0.0.1:9187")


def test_the_database_is_beside_the_configuration_by_default(load, tmp_path):
    assert load(MINIMAL).database_url == f"sqlite:///{tmp_path / 'syncd.db'}"
    relative = MINIMAL + '[database]\nurl = "sqlite:///data/x.db"\n'
    assert load(relative).database_url == f"sqlite:///{tmp_path / 'data/x.db'}"


def test_any_key_can_come_from_the_environment(load):
    settings = load(
        MINIMAL,
        SYNCD_PULL__INTERVAL="2m",
        SYNCD_PULL__EXTRA="subtasks, text",
        SYNCD_PULL__ARCHIVED="true",
        SYNCD_PULL__MAX_REMOVALS="7",
    )
    assert settings.pull.interval == 120
    assert settings.pull.extra == ("subtasks", "text")
    assert (settings.pull.archived, settings.pull.max_removals) == (True, 7)


@pytest.mark.parametrize(
    ("text", "environ", "names"),
    [
        ("[pul]\nx = 1\n", {}, "unknown key pul"),
        (MINIMAL + "[pull]\nintervl = '5m'\n", {}, "unknown key pull.intervl"),
        (MINIMAL + "[pull]\ninterval = 'soon'\n", {}, "pull.interval"),
        (MINIMAL + "[pull]\ninterval = 5\n", {}, "pull.interval"),
        (MINIMAL + "[pull]\nextra = ['texts']\n", {}, "pull.extra"),
        (MINIMAL + "[pull]\nextra = ['text', 'html']\n", {}, "pull.extra"),
        (MINIMAL + "[pull]\nmax_removals = -1\n", {}, "pull.max_removals"),
        (MINIMAL + "[push]\nconflicts = 'both'\n", {}, "push.conflicts"),
        (MINIMAL + "[database]\nurl = 'mysql://h/d'\n", {}, "database.url"),
        (MINIMAL + "[limits]\nrequests_per_second = 2\n", {}, "limits.requests_per_second"),
        (MINIMAL + "[account]\n", {}, "account"),
        ("not toml", {}, "not valid TOML"),
        ("[account]\napi_key = 'k'\n", {}, "account.url"),
        ("[account]\nurl = 'acme'\napi_key = 'k'\n", {}, "account.url"),
        ("[account]\nurl = 'https://a.b'\n", {}, "account.api_key_file"),
        ("[account]\nurl = 'https://a.b'\nauth = 'oauth2'\n", {}, "account.oauth_client_id"),
        (MINIMAL.replace("api_key", "timezone = 'Kyiv'\napi_key"), {}, "account.timezone"),
        (MINIMAL, {"SYNCD_PULL__INTERVALL": "5m"}, "SYNCD_PULL__INTERVALL"),
        (MINIMAL, {"SYNCD_PULL__INTERVAL": "5"}, "pull.interval"),
        (MINIMAL, {"SYNCD_PUL__INTERVAL": "5m"}, "unknown section pul"),
    ],
)
def test_what_is_wrong_is_named(load, text, environ, names):
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    assert names in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.exit_code == 2


def test_plain_http_is_for_this_machine_only(load):
    assert load(MINIMAL.replace("https://acme.worksection.com", "http://127.0.0.1:8000"))
    with pytest.raises(ConfigError, match=r"account\.url: plain http"):
        load(MINIMAL.replace("https", "http"))
    with pytest.raises(ConfigError, match=r"account\.url: plain http"):
        load(MINIMAL.replace("https://acme.worksection.com", "http://127.0.0.1.evil.com"))


def test_a_key_file_is_read_beside_the_configuration(load, tmp_path):
    key = tmp_path / "api-key"
    key.write_text("from-the-file\n")
    key.chmod(0o600)
    settings = load(MINIMAL.replace('api_key = "a-secret-key"', 'api_key_file = "api-key"'))
    assert settings.account.api_key.reveal() == "from-the-file"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_file_that_others_can_read_is_refused_with_the_way_to_close_it(load, tmp_path, mode):
    key = tmp_path / "api-key"
    key.write_text("from-the-file\n")
    key.chmod(mode)
    with pytest.raises(ConfigError, match="others can read") as caught:
        load(MINIMAL.replace('api_key = "a-secret-key"', 'api_key_file = "api-key"'))
    assert caught.value.hint == f"Close it: chmod 600 '{key}'"


@pytest.mark.parametrize(("content", "problem"), [(None, "cannot be read"), ("\n", "is empty")])
def test_a_key_file_without_a_key_is_named(load, tmp_path, content, problem):
    key = tmp_path / "api-key"
    if content is not None:
        key.write_text(content)
        key.chmod(0o600)
    with pytest.raises(ConfigError, match=problem):
        load(MINIMAL.replace('api_key = "a-secret-key"', 'api_key_file = "api-key"'))


def test_the_systemd_credential_is_found_by_itself(load, tmp_path):
    (tmp_path / "api-key").write_text("from-systemd")
    settings = load(
        MINIMAL.replace('api_key = "a-secret-key"', ""), CREDENTIALS_DIRECTORY=str(tmp_path)
    )
    assert settings.account.api_key.reveal() == "from-systemd"


def test_a_blank_credential_is_none(load, tmp_path):
    (tmp_path / "api-key").write_text("\n")
    (tmp_path / "own.key").touch(mode=0o600)
    (tmp_path / "own.key").write_text("from-the-file")
    text = MINIMAL.replace('api_key = "a-secret-key"', f'api_key_file = "{tmp_path}/own.key"')
    settings = load(text, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert settings.account.api_key.reveal() == "from-the-file"


def test_no_secret_shows_in_the_settings(load):
    text = MINIMAL + '[database]\nurl = "postgresql+psycopg://u:pass-word-1@h/d"\n'
    settings = load(text)
    assert "a-secret-key" not in repr(settings)
    from syncd.secrets import redact

    assert "pass-word-1" not in redact(repr(settings))


def test_a_file_that_is_not_there_is_named_with_the_way_to_make_one(tmp_path):
    with pytest.raises(ConfigError, match="does not exist") as caught:
        config.find(tmp_path / "none.toml", {})
    assert "syncd init" in caught.value.hint


def test_the_first_place_that_has_one_wins(tmp_path, monkeypatch):
    home = tmp_path / "home" / ".config" / "syncd"
    home.mkdir(parents=True)
    (home / "syncd.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    environ = {"HOME": str(tmp_path / "home")}
    assert config.find(None, environ) == home / "syncd.toml"
    (tmp_path / "syncd.toml").write_text("")
    assert config.find(None, environ) == Path("syncd.toml")
    named = {**environ, "SYNCD_CONFIG": str(home / "syncd.toml")}
    assert config.find(None, named) == home / "syncd.toml"


@given(st.integers(0, 10_000), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_duration_is_its_number_of_seconds(number, unit):
    assert Duration.parse(f"{number}{unit[0]}") == number * unit[1]
