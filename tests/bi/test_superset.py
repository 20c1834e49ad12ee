"""The bundle for Superset names what there is; test_superset_live.py imports it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from syncd.store.report import VIEWS
from tests.bi.conftest import MISSING

FOLDER = Path(__file__).parents[2] / "docs" / "bi" / "superset"
URI = "postgresql+psycopg2://ann:s%3Acret@db.example/mirror"


@pytest.fixture(scope="session", autouse=True)
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The documents in the zip, by their paths below its folder."""
    yaml = pytest.importorskip("yaml", reason=MISSING)
    packed = tmp_path_factory.mktemp("superset") / "bundle.zip"
    subprocess.run([sys.executable, FOLDER / "bundle.py", URI, packed], check=True)
    with ZipFile(packed) as bundle:
        return {
            name.removeprefix("syncd/"): yaml.safe_load(bundle.read(name))
            for name in bundle.namelist()
        }


def those(files: dict[str, Any], kind: str) -> list[Any]:
    return [one for name, one in files.items() if name.startswith(f"{kind}/")]


def test_the_address_is_the_one_that_was_given(files):
    assert URI == files["databases/syncd.yaml"]["sqlalchemy_uri"]


def test_the_datasets_have_the_columns_of_the_views(files):
    views = {view.name: list(view.columns) for view in VIEWS}
    for dataset in those(files, "datasets"):
        names = [column["column_name"] for column in dataset["columns"]]
        assert names == views[dataset["table_name"]], dataset["table_name"]


def test_the_charts_ask_for_columns_that_their_datasets_have(files):
    columns = {
        one["uuid"]: {column["column_name"] for column in one["columns"]}
        for one in those(files, "datasets")
    }
    for chart in those(files, "charts"):
        assert asked(chart["params"]) <= columns[chart["dataset_uuid"]], chart["slice_name"]


def test_the_dashboard_shows_every_chart(files):
    (board,) = those(files, "dashboards")
    places = [one for one in board["position"].values() if isinstance(one, dict)]
    shown = {one["meta"]["uuid"] for one in places if one["type"] == "CHART"}
    assert {chart["uuid"] for chart in those(files, "charts")} == shown


def asked(params: dict[str, Any]) -> set[str]:
    """The columns that a chart's settings name."""
    metrics = [*params.get("metrics", []), params.get("metric")]
    orders = [json.loads(one)[0] for one in params.get("order_by_cols", [])]
    filters = [one["subject"] for one in params["adhoc_filters"]]
    own = [one["column"]["column_name"] for one in metrics if isinstance(one, dict)]
    axis = [params["x_axis"]] if "x_axis" in params else []
    plain_ones = [*params.get("all_columns", []), *params.get("groupby", [])]
    return {*orders, *filters, *own, *axis, *plain_ones}
