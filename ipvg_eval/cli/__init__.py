"""The `ipvg-eval` command. One module per subcommand; heavy imports happen inside them."""

from __future__ import annotations

import sys

__all__ = ["main"]

_BROKEN = 3
_OLDEST = (3, 11)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit; see `ipvg_eval.cli.app.main`."""
    if sys.version_info < _OLDEST:  # from a checkout; pip refuses to install it
        here = ".".join(map(str, sys.version_info[:2]))
        sys.stderr.write(f"error: this is Python {here}; ipvg-eval needs 3.11 or newer.\n")
        sys.exit(_BROKEN)
    try:
        from ipvg_eval.cli.app import main as run

        run(arguments)
    except ImportError as error:
        if "--debug" in (sys.argv[1:] if arguments is None else arguments):
            raise
        sys.stderr.write(
            f"error: this installation is broken: {_root(error)}\n"
            "See what `pip check` says, and install ipvg-eval again.\n"
        )
        sys.exit(_BROKEN)


def _root(error: BaseException) -> BaseException:
    """What it began with: packages wrap one another's errors."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
