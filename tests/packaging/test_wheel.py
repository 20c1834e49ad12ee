"""The wheel and the sdist hold what they must, and nothing else."""

from __future__ import annotations

import configparser
import email
import email.message
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import syncd
from tests.support.processes import run

ROOT = Path(__file__).parents[2]
SHIPPED = ("migrations", "config", "systemd")


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both; the wheel is made from the sdist, which so proves to be enough for it."""
    outdir = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(outdir), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return outdir


@pytest.fixture
def wheel(dist: Path) -> zipfile.ZipFile:
    (path,) = dist.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (each for each in wheel.namelist() if each.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def _files(folder: str) -> set[str]:
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_the_package_and_what_travels_with_it(wheel: zipfile.ZipFile) -> None:
    expected = _files("syncd")
    for folder in SHIPPED:
        expected |= {f"syncd/_shipped/{name}" for name in _files(folder)}
    actual = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert expected == actual


def test_the_metadata_says_what_pyproject_says(metadata: email.message.Message) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == metadata["Name"]
    assert project["requires-python"] == metadata["Requires-Python"]
    assert project["license"] == metadata["License-Expression"]
    extras = project["optional-dependencies"].values()
    required = [*project["dependencies"], *(each for extra in extras for each in extra)]
    assert len(required) == len(metadata.get_all("Requires-Dist", []))


def test_there_is_one_version(metadata: email.message.Message) -> None:
    assert syncd.__version__ == metadata["Version"]


def test_the_wheel_installs_the_command(wheel: zipfile.ZipFile) -> None:
    (name,) = (each for each in wheel.namelist() if each.endswith("entry_points.txt"))
    scripts = configparser.ConfigParser()
    scripts.read_string(wheel.read(name).decode())
    assert {"syncd": "syncd.cli:main"} == dict(scripts["console_scripts"])


def test_an_installed_wheel_finds_its_files_in_itself(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    place = tmp_path / "site packages"
    wheel.extractall(place)  # noqa: S202 (we built it)
    code = f"from syncd import shipped; print(*map(shipped.path, {SHIPPED}), sep='\\n')"
    # -P leaves the working directory out of the path; PYTHONPATH goes before the checkout's .pth.
    done = run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": os.fspath(place)},
    ).expect(0)
    expected = [os.fspath(place / "syncd" / "_shipped" / name) for name in SHIPPED]
    assert expected == done.stdout.splitlines()


def test_the_sdist_holds_the_sources_and_nothing_made_from_them(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    wanted = {"pyproject.toml", "Makefile", "LICENSE", "README.md", "CHANGELOG.md"}
    assert names >= wanted | _files("migrations") | _files("config") | _files("systemd")
    made = (".venv", ".git/", ".demo", "dist/", ".hypothesis", "__pycache__")
    assert [] == [name for name in names if any(part in f"{name}/" for part in made)]
