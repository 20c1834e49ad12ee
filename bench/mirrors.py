"""syncd itself, as the bench runs it: an account without a pace, a database, one pull."""

from __future__ import annotations

from pathlib import Path

from bench.account import KEY
from syncd import bootstrap, config, log
from syncd.bootstrap import App
from syncd.services.progress import Silent
from syncd.services.pull import pull


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
