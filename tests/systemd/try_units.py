"""Runs the units in a real, booted systemd and prints what it saw: `make systemd`.

It needs root and systemd-nspawn; where it cannot run it says so and ends with 0. The first time it
makes a Debian with debootstrap, at $SYNCD_SYSTEMD_ROOT or /var/tmp/syncd-systemd-root.
With names of parts as arguments it tells only those, after the first.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.systemd import company, container, story, world
from tests.systemd.container import Container, Impossible
from tests.systemd.world import Account, Try, Unit

CHECKOUT = Path(__file__).parents[2]
ROOT = Path(os.environ.get("SYNCD_SYSTEMD_ROOT", "/var/tmp/syncd-systemd-root"))  # noqa: S108 - kept


STORY: tuple[Callable[[Try], str], ...] = (
    story.it_starts,
    story.it_runs_as_nobody_special,
    story.its_port_answers,
    story.an_edit_goes_out,
    story.its_log_names_the_runs,
    story.a_hand_is_told_that_it_is_done_already,
    story.the_group_may_read,
    story.the_group_may_be_let_in,
    story.a_reload_takes_the_new_settings,
    story.a_bad_configuration_keeps_the_old_one,
    story.a_killed_process_is_replaced,
    story.a_hung_process_is_replaced,
    story.at_rest_it_is_not_taken_for_hung,
    story.no_account_is_a_state,
    story.a_bad_configuration_at_the_start_stays_down,
    story.a_missing_key_is_named,
    story.a_key_is_changed,
    story.it_stops_in_time,
    company.it_is_closed,
    company.two_accounts_side_by_side,
    company.a_persons_token_works_too,
    company.a_database_that_restarts_is_survived,
    company.a_database_that_is_late_is_waited_for,
    company.a_second_one_stands_by,
    company.no_key_is_seen,
)


def main(names: list[str]) -> int:
    """Tell the story; with names, only those parts after the first. Returns the failures."""
    try:
        container.check_machine()
        with tempfile.TemporaryDirectory(prefix="syncd-systemd-", dir=ROOT.parent) as place:
            root = container.copy(container.base(ROOT), Path(place) / "root")
            container.install_wheel(root, _wheel(Path(place)))
            with container.booted(root) as box:
                return _tell(box, names)
    except Impossible as why:
        print(f"skipped: {why}")
        return 0


def _wheel(place: Path) -> Path:
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--outdir",
        str(place / "dist"),
        str(CHECKOUT),
    ]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    (wheel,) = (place / "dist").glob("*.whl")
    return wheel


def _tell(box: Container, names: list[str]) -> int:
    print(box.run("systemctl", "--version").splitlines()[0], flush=True)
    world.prepare(box)
    on = Try(box, Account(box, "main", 8701), Unit(box, "syncd", 9187))
    failed = 0
    for part in STORY:
        if not names or part is STORY[0] or part.__name__ in names:
            failed += not _told(part, on)
    return min(failed, 1)


def _told(part: Callable[[Try], str], on: Try) -> bool:
    name = part.__name__.replace("_", " ")
    try:
        print(f"ok      {name}: {part(on)}", flush=True)
    except (AssertionError, PermissionError, subprocess.TimeoutExpired) as error:
        print(f"FAILED  {name}: {error}", flush=True)
        print(
            on.box.start("journalctl", "--no-pager", "-n", "40", "-u", "syncd*").stdout, flush=True
        )
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
