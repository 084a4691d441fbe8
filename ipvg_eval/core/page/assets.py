"""Style, script and templates of a page, and its Content-Security-Policy."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

import jinja2
from markupsafe import Markup

from ipvg_eval.core.printable import printable

_ARROWS = {True: "↑", False: "↓", None: ""}


def page_environment(package: str, folder: str) -> jinja2.Environment:
    """Templates of one page, with the shared parts under `shared/`; everything is escaped.

    Args:
        package: the page's import package.
        folder: where in it the templates lie.
    """
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [
                jinja2.PackageLoader(package, folder),
                jinja2.PrefixLoader({"shared": jinja2.PackageLoader("ipvg_eval.core", "page")}),
            ]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=seen,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["arrow"] = _ARROWS.__getitem__
    return environment


def seen(value: object) -> object:
    """A value as a page shows it: control characters of strangers' texts are shown, not obeyed."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, longest=None, keep="\n\t")
    return value


def read_asset(name: str, package: str = "ipvg_eval.core.page") -> str:
    """The text of a style sheet or script that ships with the package."""
    return (resources.files(package) / name).read_text("utf-8")


def content_policy(style: str, script: str) -> str:
    """A Content-Security-Policy that allows this style, this script and embedded pictures only."""
    return (
        f"default-src 'none'; img-src data:; style-src {_quoted_hash(style)}; "
        f"script-src {_quoted_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def _quoted_hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
