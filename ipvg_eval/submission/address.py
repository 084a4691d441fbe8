"""Addresses of submissions: paths and URLs, and what of them may be shown."""

from __future__ import annotations

import re

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]+)://")
_USER = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY = re.compile(r"(://[^\s?#'\"]*)[?#][^\s'\"]*")


def is_url(address: str) -> bool:
    """Whether an address is a URL; a drive letter is none."""
    return _URL.match(address) is not None


def scheme_of(url: str) -> str:
    """The URL's scheme, in lower case."""
    match = _URL.match(url)
    assert match is not None
    return match[1].lower()


def without_secrets(text: str) -> str:
    """A text whose URLs have lost user, password, query and fragment: any of them may be a key."""
    return _QUERY.sub(r"\1", _USER.sub("", text))
