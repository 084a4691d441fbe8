"""Results as plain dictionaries and lists, for JSON."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel


def jsonable(value: object) -> Any:
    """What `json.dumps` takes: missing numbers are None, never NaN.

    A table with a numbered index becomes one dictionary per row; one with names becomes index, columns and
    data. A mapping with pairs as keys becomes a list of [*key, value].
    """
    if isinstance(value, pd.DataFrame):
        return _table(value)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        if any(isinstance(key, tuple) for key in value):
            return [[*key, jsonable(item)] for key, item in value.items()]
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def _table(table: pd.DataFrame) -> Any:
    if isinstance(table.index, pd.RangeIndex):
        return [jsonable(record) for record in table.to_dict("records")]
    return {
        "index": [str(name) for name in table.index],
        "columns": [str(name) for name in table.columns],
        "data": jsonable(table.to_numpy().tolist()),
    }
