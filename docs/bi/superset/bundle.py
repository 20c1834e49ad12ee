"""Packs this folder into what `superset import-dashboards` takes: python bundle.py URI FILE.zip.

URI is how Superset reaches the mirror, such as postgresql+psycopg2://ann:secret@db.example/mirror.
The password is in the zip then: throw it away after the import.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

FOLDER = Path(__file__).parent
DATABASE = FOLDER / "databases" / "syncd.yaml"


def pack(uri: str, target: Path) -> None:
    """Write the bundle, with that address of the database in it."""
    with ZipFile(target, "w") as bundle:
        for path in sorted(FOLDER.rglob("*.yaml")):
            text = path.read_text(encoding="utf-8")
            if path == DATABASE:
                text = "".join(_line(line, uri) for line in text.splitlines(keepends=True))
            bundle.writestr(f"syncd/{path.relative_to(FOLDER)}", text)
    target.chmod(0o600)


def _line(line: str, uri: str) -> str:
    return f"sqlalchemy_uri: {uri!r}\n" if line.startswith("sqlalchemy_uri:") else line


if __name__ == "__main__":
    pack(sys.argv[1], Path(sys.argv[2]))
