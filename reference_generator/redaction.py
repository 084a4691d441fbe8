"""Keeping secrets of the environment out of everything that is shown or written."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from urllib.parse import quote

SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH|COOKIE", re.IGNORECASE)
"""Names of variables, headers and fields whose values are not for others."""

_SHORTEST = 6  # shorter ones stand in ordinary words


def redacted(text: str, names: Iterable[str] = ()) -> str:
    """The text with `***` in place of every secret of the environment.

    Args:
        text: anything.
        names: variables that are secret, whatever they are called and however short they are.
    """
    named = set(names)
    values = {
        value
        for name, value in os.environ.items()
        if value and (name in named or (SECRET_NAME.search(name) and len(value) >= _SHORTEST))
    }
    # The longest first: one may be the beginning of another.
    for value in sorted(values, key=len, reverse=True):
        for form in {value, json.dumps(value)[1:-1], quote(value, safe="")}:
            text = text.replace(form, "***")
    return text
