"""What Superset's pages ask for a chart: its settings, made into the query that a browser sends.

Superset does this in JavaScript, by the chart's type. Only the types in docs/bi/superset are here,
and of each only what the answer depends on; it was compared with what Chromium sent.
"""

from __future__ import annotations

import json
from typing import Any

Form = dict[str, Any]
Query = dict[str, Any]


def dataset(form: Form) -> int:
    """The number of the dataset that the chart stands on."""
    number, kind = form["datasource"].split("__")
    assert "table" == kind
    return int(number)


def query(form: Form) -> Query:
    """The query of a chart with these settings."""
    shape = SHAPES[form["viz_type"]]
    return {"time_range": form["time_range"], "filters": _filters(form), **shape(form)}


def _filters(form: Form) -> list[dict[str, Any]]:
    return [
        {"col": one["subject"], "op": one["operator"], "val": one["comparator"]}
        for one in form["adhoc_filters"]
    ]


def _number(form: Form) -> Query:
    return {"columns": [], "metrics": [form["metric"]]}


def _table(form: Form) -> Query:
    orders = [json.loads(one) for one in form["order_by_cols"]]
    return {"columns": form["all_columns"], "orderby": orders, "row_limit": form["row_limit"]}


def _series(form: Form) -> Query:
    metrics, groups = form["metrics"], form["groupby"]
    grain = form.get("time_grain_sqla")
    return {
        "columns": [_axis(form["x_axis"], grain), *groups],
        "metrics": metrics,
        "orderby": [[metrics[0], False]],
        "series_columns": groups,
        "row_limit": form["row_limit"],
        "extras": {"time_grain_sqla": grain} if grain else {},
        "post_processing": [*_turned(form), {"operation": "flatten"}],
    }


def _axis(column: str, grain: str | None) -> dict[str, Any]:
    axis = {
        "columnType": "BASE_AXIS",
        "sqlExpression": column,
        "label": column,
        "expressionType": "SQL",
        "isColumnReference": True,
    }
    return axis | ({"timeGrain": grain} if grain else {})


def _turned(form: Form) -> list[dict[str, Any]]:
    """What is done to the rows: a column for each group; with one metric its name is left out."""
    labels, groups = [one["label"] for one in form["metrics"]], form["groupby"]
    pivot = {
        "index": [form["x_axis"]],
        "columns": groups,
        "aggregates": {label: {"operator": "mean"} for label in labels},
        "drop_missing_columns": False,
    }
    rename = {"columns": {labels[0]: None}, "level": 0, "inplace": True}
    steps = [{"operation": "pivot", "options": pivot}]
    if groups and len(labels) == 1:
        steps.append({"operation": "rename", "options": rename})
    if "x_axis_sort" in form:
        order = {"by": form["x_axis_sort"], "ascending": form["x_axis_sort_asc"]}
        steps.append({"operation": "sort", "options": order})
    return steps


SHAPES = {
    "big_number_total": _number,
    "table": _table,
    "echarts_timeseries_bar": _series,
    "echarts_area": _series,
}
