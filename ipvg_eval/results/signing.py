"""Signatures of runs: Ed25519 (RFC 8032) over SHA256SUMS, by the package `cryptography`."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ipvg_eval.core.bounded import read_bounded
from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import RunError
from ipvg_eval.results.checksums import FILE_NAME, SIGNATURE_NAME, check_folder
from ipvg_eval.results.files import write_text

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def make_keys(path: Path) -> Path:
    """Write a new private key to `path`, readable by its owner alone, and the public key beside it.

    Returns:
        The public key's file, `path` with ".pub" at its end.

    Raises:
        UsageError: a file is there already, or cannot be written.
    """
    _require_package()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    beside = path.with_name(f"{path.name}.pub")
    for target, content, mode in ((path, private, 0o600), (beside, public, 0o644)):
        try:
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except OSError as error:
            hint = "Choose another file; keys are never overwritten."
            raise UsageError(f"cannot be written ({error.strerror})", path=target, hint=hint) from error
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    return beside


def sign(folder: Path, key: Path) -> Path:
    """Sign the checksums of a run that agrees with them.

    Returns:
        The signature's file, SHA256SUMS.sig: base64 of the 64 bytes.

    Raises:
        RunError: the folder differs from its checksums, or has none.
        UsageError: the key cannot be used, or the package is not installed.
    """
    check = check_folder(folder)
    if not check.ok:
        raise RunError(
            "the folder differs from its checksums, so it is not signed",
            path=folder,
            hint="`ipvg-eval verify` says in what.",
        )
    signature = _private_key(key).sign((folder / FILE_NAME).read_bytes())
    target = folder / SIGNATURE_NAME
    write_text(target, base64.b64encode(signature).decode("ascii") + "\n")
    return target


def check_signature(folder: Path, public_key: Path) -> bool:
    """Whether the run's checksums were signed by the owner of the key.

    Raises:
        RunError: there is no signature, or it is damaged.
        UsageError: the key cannot be used, or the package is not installed.
    """
    key = _public_key(public_key)
    from cryptography.exceptions import InvalidSignature

    path = folder / SIGNATURE_NAME
    try:
        signature = base64.b64decode(read_bounded(path).strip(), validate=True)
        content = read_bounded(folder / FILE_NAME)
    except (OSError, ValueError) as error:
        raise RunError(
            f"the signature of this run cannot be read ({error})",
            path=path,
            hint="Ask whoever published the run for SHA256SUMS.sig.",
        ) from error
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def _no_key(kind: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    why = error.strerror if isinstance(error, OSError) else "it is no PEM file of one without a password"
    return f"this is no {kind} key that can be used ({why})"


def _private_key(path: Path) -> Ed25519PrivateKey:
    _require_package()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            _no_key("private", error),
            path=path,
            hint="`ipvg-eval keygen FILE` makes one.",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError("not an Ed25519 key", path=path, hint="`ipvg-eval keygen FILE` makes one.")
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    _require_package()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        content = path.read_bytes()
        key = serialization.load_pem_public_key(content)
    except (OSError, ValueError) as error:
        raise UsageError(
            _no_key("public", error),
            path=path,
            hint="Give the .pub file of whoever signed the run.",
        ) from error
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(
            "not an Ed25519 key", path=path, hint="Give the .pub file of whoever signed the run."
        )
    return key


def _require_package() -> None:
    try:
        import cryptography  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError(
            "signatures need the package cryptography", hint="Run: pip install 'ipvg-eval[sign]'"
        ) from error
