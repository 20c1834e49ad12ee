"""What the documents say is what the program does: help, transcript, settings, named tests."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from pathlib import Path

import msgspec
import pytest

from syncd import config
from syncd.config.reading import read_custom
from syncd.errors import ConfigError
from syncd.settings import Settings
from tests.support.processes import run_syncd
from tests.support.write_docs import CLI, ROOT, cli_reference

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "config" / "syncd.example.toml"
MINIMAL = ROOT / "config" / "syncd.minimal.toml"


def test_the_reference_of_commands_is_what_help_prints() -> None:
    assert cli_reference() == CLI.read_text(encoding="utf-8"), (
        "docs/cli.md is out of date: python -m tests.support.write_docs"
    )


CHANGING = (
    (r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?", "DATE"),
    (r"\d+(\.\d+)? s\b", "N s"),
    (r"^\$ .*syncd --config", "$ syncd --config"),
)


def lasting(text: str) -> list[str]:
    """Return the lines of a text without what differs from run to run."""
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text, flags=re.M)
    return [line for line in text.splitlines() if line.strip() not in {"", "…"}]


def test_the_transcript_in_the_readme_is_what_the_demo_says(tmp_path: Path) -> None:
    block = re.search(r"<!-- demo -->\n```text\n(.*?)```", README, re.S)
    assert block is not None
    said = iter(lasting(run_syncd("demo", cwd=tmp_path).expect(0).stdout))
    missing = [line for line in lasting(block[1]) if line not in said]
    assert [] == missing, "these lines are not in the demo, or not in this order"


def test_every_file_that_the_readme_names_exists() -> None:
    named = re.findall(r"`((?:tests|docs|config|systemd)/[\w./-]*)`", README)
    named += re.findall(r"\]\(((?!http)[^)]+)\)", README)
    assert len(named) > 8
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_the_sql_in_the_readme_runs(tmp_path: Path) -> None:
    run_syncd("demo", "--tasks", "100", cwd=tmp_path).expect(0)
    script = re.search(r"```sql\n(.*?)```", README, re.S)
    assert script is not None
    with sqlite3.connect(tmp_path / "syncd-demo" / "syncd.db") as db:
        for statement in filter(str.strip, script[1].split(";")):
            db.execute(statement).fetchall()


# --- the example of a configuration


def settings() -> set[str]:
    """Every key there is, as section.key."""
    return {
        f"{section.name}.{key.name}"
        for section in msgspec.structs.fields(Settings)
        if section.name != "path"
        for key in msgspec.structs.fields(section.type)
    }


def uncommented(text: str) -> str:
    """Return the example with every setting in force, also those that are commented out."""
    return re.sub(r"^# (?=\w+ = )", "", text, flags=re.M)


def test_every_setting_stands_in_the_example_and_no_other() -> None:
    tree = tomllib.loads(uncommented(EXAMPLE.read_text(encoding="utf-8")))
    assert settings() == {f"{section}.{key}" for section, keys in tree.items() for key in keys}


def test_what_the_example_shows_as_a_default_is_the_default() -> None:
    text = uncommented(EXAMPLE.read_text(encoding="utf-8"))
    shown = msgspec.convert(tomllib.loads(text), Settings, dec_hook=read_custom)
    defaults = Settings()
    without = {"account", "retention", "alerts"}
    unlike = {"database.url", "database.schema", "database.auto_upgrade", "pull.max_removals"}
    unlike |= {"log.format", "backup.folder"}
    unlike |= {f"server.{key}" for key in ("hook_user", "hook_password", "hook_password_file")}
    for name in settings() - unlike:
        section, key = name.split(".")
        if section not in without:
            default = getattr(getattr(defaults, section), key)
            assert default == getattr(getattr(shown, section), key), name


@pytest.mark.parametrize("path", [EXAMPLE, MINIMAL], ids=["example", "minimal"])
def test_it_can_be_used_once_the_key_is_there(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "syncd.toml"
    copy.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"syncd\.key"):
        config.load(copy, {})
    key = tmp_path / "syncd.key"
    key.touch(mode=0o600)
    key.write_text("k" * 32)
    assert "Europe/Kyiv" == config.load(copy, {}).account.timezone
