"""docs/performance.svg: pulls against their floor and the peer."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from bench.budgets import ORIENTATION
from bench.figures import Results
from bench.report import PEERS, PULLS, instead

COLOURS = {"floor": "#9aa5b1", "syncd": "#2a6f97", "dlt": "#d1805b", "Meltano": "#8a5a83"}
WIDTH = 0.2


def missing() -> str | None:
    """Return why there can be no plot, or None."""
    if importlib.util.find_spec("matplotlib") is None:
        return "No plot: matplotlib is not installed (dependency group `bench`)."
    return None


def draw(results: Results, path: Path) -> None:
    """Draw the medians at 10,000 tasks, or at the largest size there is."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "syncd", "font.size": 9})
    from matplotlib import pyplot

    size = ORIENTATION if ORIENTATION in results.sizes else max(results.sizes)
    databases = results.databases
    figure, panels = pyplot.subplots(
        1, len(databases), figsize=(4.5 * len(databases), 3.2), sharey=True, squeeze=False
    )
    for panel, database in zip(panels[0], databases, strict=True):
        _bars(results, size, database, panel)
    panels[0][0].set_ylabel("seconds, median (logarithmic)")
    panels[0][-1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _bars(results: Results, size: int, database: str, panel: Any) -> None:
    for number, (name, colour) in enumerate(COLOURS.items()):
        found = [results.find(size, database, one) for one in _bar(name)]
        places = [place + (number - 1.5) * WIDTH for place, one in enumerate(found) if one]
        heights = [one.median for one in found if one]
        panel.bar(places, heights, WIDTH, label=name, color=colour)
    _scales(panel, f"{database}, {size:,} tasks")


def _bar(name: str) -> list[str]:
    """Return the figure behind each bar of one colour."""
    if name in PEERS:
        return [instead(name, what) for what, _ in PULLS]
    return [under if name == "floor" else what for what, under in PULLS]


def _scales(panel: Any, title: str) -> None:
    panel.set_yscale("log")
    panel.set_title(title)
    panel.set_xticks(range(len(PULLS)), [what for what, _ in PULLS])
    panel.tick_params(axis="x", labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
