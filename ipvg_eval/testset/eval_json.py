"""Test sets described by one eval.json: Track 1 items and Track 2 items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ipvg_eval.errors import TestSetError
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.testset.items import ItemReader
from ipvg_eval.testset.model import Sample, Track
from ipvg_eval.testset.prompts import decode_text

FILE_NAME = "eval.json"
_SEQUENTIAL_KEYS = frozenset({"img_paths", "class_label", "global_prompt", "temporal_captions"})


def read_eval_json(path: Path) -> tuple[Track, list[Sample], list[Finding]]:
    """Every usable item of the list, and what is wrong with the rest.

    Item n (from 1) owes the video `n.mp4`. The track is sequential when most items have Track 2's keys.

    Raises:
        TestSetError: the file is not a JSON list.
    """
    items = _read_list(path)
    sequential = sum(isinstance(item, Mapping) and bool(_SEQUENTIAL_KEYS & item.keys()) for item in items)
    track = Track.SEQUENTIAL if 2 * sequential > len(items) else Track.FACIAL
    samples: list[Sample] = []
    findings: list[Finding] = []
    for number, item in enumerate(items, start=1):
        reader = ItemReader(file=path, number=number)
        if not isinstance(item, Mapping):
            findings.append(_no_object(path, number, item))
            continue
        sample = reader.sequential(item) if track is Track.SEQUENTIAL else reader.facial(item)
        findings.extend(reader.findings)
        if sample is not None:
            samples.append(sample)
    return track, samples, findings


def _read_list(path: Path) -> list[object]:
    try:
        content = json.loads(decode_text(path.read_bytes()))
    except json.JSONDecodeError as error:
        raise TestSetError(
            f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            path=path,
            hint="Restore the file from the original test set.",
        ) from error
    except UnicodeError as error:
        raise TestSetError(f"not UTF-8 text: {error}", path=path, hint="Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise TestSetError(
            f"not usable JSON: {error}", path=path, hint="Restore the file from the original test set."
        ) from error
    except OSError as error:
        raise TestSetError(
            f"cannot be read: {error.strerror or error}",
            path=path,
            hint="Check the file and its permissions.",
        ) from error
    if not isinstance(content, list):
        raise TestSetError(
            f"holds a JSON {_json_name(content)} where a list of samples is expected",
            path=path,
            hint='Expected is a list of {"img", "prompt"} (Track 1) or of {"img_paths", "class_label", '
            '"global_prompt", "temporal_captions"} (Track 2).',
        )
    return content


def _no_object(path: Path, number: int, item: object) -> Finding:
    return Finding(
        code="item-type",
        severity=Severity.ERROR,
        path=path.name,
        message=f"Item {number} is a JSON {_json_name(item)}, not an object.",
        action=f"Restore item {number} from the original test set.",
        sample=str(number),
    )


def _json_name(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "list", dict: "object"}
    return names.get(type(value), type(value).__name__)
