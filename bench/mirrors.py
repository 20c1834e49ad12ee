"""syncd itself, as the bench runs it: an account without a pace, a database, one pull."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from bench.account import KEY
from syncd import bootstrap, config, log
from syncd.bootstrap import App
from syncd.services.progress import Silent
from syncd.services.pull import pull

LASTING = frozenset({"alembic_version", "audit_log"})
"""Tables that keep their rows: the version of the schema, and what refuses to lose any."""


def configured(folder: Path, url: str, database: str) -> Path:
    """Write a configuration; all but the pace and the brake of a push is as by default."""
    path = folder / "syncd.toml"
    path.write_text(
        f'[account]\nurl = "{url}"\napi_key = "{KEY}"\ntimezone = "Europe/Kyiv"\n'
        f'[database]\nurl = "{database}"\n'
        "[limits]\nrequests_per_second = 1000000\n"
        "[push]\nmax_batch = 100000\n"
        '[server]\nlisten = ""\n',
        "utf-8",
    )
    path.chmod(0o600)
    return path


def opened(path: Path) -> App:
    """Build syncd from a configuration, its database ready."""
    log.set_up(form=None, level="error")
    app = bootstrap.build(config.load(path, {}))
    app.ready(write=True)
    return app


def pulled(app: App) -> int:
    """Pull once; returns in how many requests.

    Raises RuntimeError where the pull is not complete: that would be less work.
    """
    with app.pulling(Silent()) as work:
        report = pull(work)
    if report.outcome != "complete":
        raise RuntimeError(f"the pull is {report.outcome}: {report.notes}")
    return report.requests


def emptied(app: App) -> None:
    """Make an opened mirror one that was never pulled into; connections and statements stay.

    Neither the database nor this process remembers anything of a pull. The audit log keeps its
    rows; tables that have none are left alone, for some refuse even that.
    """
    with app.db.write() as tx:
        names = [name for name in inspect(tx).get_table_names() if name not in LASTING]
        held = [name for name in names if tx.scalar(text(f"SELECT 1 FROM {name} LIMIT 1"))]
        if app.db.is_sqlite:
            tx.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            for name in held:
                tx.exec_driver_sql(f"DELETE FROM {name}")
        else:
            tx.exec_driver_sql(f"TRUNCATE {', '.join(held)}")
    app.kept.clear()
