"""Secrets in links: unguessable, and kept as hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_BYTES = 24


def new_secret() -> str:
    """192 random bits, safe in a URL."""
    return secrets.token_urlsafe(_BYTES)


def new_media_id() -> str:
    """A name for a file that says nothing: 128 random bits in hexadecimal."""
    return secrets.token_hex(16)


def new_code() -> str:
    """A completion code that people can type."""
    letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
    code = "".join(secrets.choice(letters) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"


def hashed(secret: str) -> str:
    """SHA-256 of a secret. No salt is needed where the secret itself is random."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def signature(key: str, text: str) -> str:
    """HMAC-SHA256, 64 hexadecimal digits."""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def same(given: str, expected: str) -> bool:
    """Whether two texts are the same, in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode())


def matches(secret: str, expected: str) -> bool:
    """Whether a secret has that hash, in constant time."""
    return hmac.compare_digest(hashed(secret), expected)
