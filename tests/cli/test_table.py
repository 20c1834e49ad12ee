"""Tables fit the terminal they are shown on, whatever the letters."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from syncd.cli.output import Output
from syncd.cli.table import Cell, Column, fit, show_table

COLUMNS = (Column("id", right=True), Column("task", share=2), Column("who", share=1))
ROWS = (
    (Cell("7"), Cell("確認： résumé of Q3 " * 5), Cell("somebody@example.com")),
    (Cell("123456"), Cell("short", indent=4), Cell("")),
)


def test_what_fits_is_left_as_it_is() -> None:
    assert [6, 20, 10] == fit([6, 20, 10], COLUMNS, 80)


def test_texts_give_way_by_their_share_and_numbers_never() -> None:
    assert [6, 20, 10] == fit([6, 60, 30], COLUMNS, 40)
    assert [6, 8, 8] == fit([6, 60, 60], COLUMNS, 10)


@pytest.mark.parametrize("columns", [30, 40, 80, 120])
def test_every_line_fits_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(Output, "terminal", True)
    show_table(Output(json=False), COLUMNS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert all(cell_len(line) <= columns for line in lines)
    assert "123456      short" in lines[2]


def test_a_program_gets_whole_texts(capsys: pytest.CaptureFixture[str]) -> None:
    show_table(Output(json=False), COLUMNS, ROWS)
    assert "id\ttask\twho" == capsys.readouterr().out.splitlines()[0]
