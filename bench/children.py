"""Work that is measured in a process of its own: nothing of the bench's is in its memory or cache.

An order goes in as one argument of JSON, the answer comes back on stdout.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


class ChildFailed(Exception):
    """A child ended badly; the message is the last line that it wrote, without the way there."""


def ask(module: str, **order: Any) -> dict[str, Any]:
    """Run a module with an order and return its answer. Raises ChildFailed."""
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(order)],
        cwd=ROOT,
        env=os.environ | order.get("environ", {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        print(done.stderr, file=sys.stderr)
        raise ChildFailed(f"{module}: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def answer(work: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Be such a child: take the order, do the work, tell what came of it."""
    found = work(json.loads(sys.argv[1]))
    print(json.dumps(found))
