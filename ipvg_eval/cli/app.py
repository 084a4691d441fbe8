"""The command's entry point: subcommands, error messages and exit codes."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection
from typing import Annotated, NoReturn

import typer
from rich.markup import escape

from ipvg_eval.cli.commands import add_commands
from ipvg_eval.cli.consoles import STDERR
from ipvg_eval.core.errors import IpvgError

_INTERRUPTED = 130


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"ipvg-eval {metadata.version('ipvg-eval')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks. Works in any position.")] = False,
) -> None:
    """Check, score and rank identity-preserving video generation."""


def build_app(words: Collection[str]) -> typer.Typer:
    """The command with what a command line of these words can reach; see `add_commands`."""
    app = typer.Typer(
        name="ipvg-eval",
        help="Check, score and rank identity-preserving video generation.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_options)
    add_commands(app, words)
    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit.

    Exit codes: 0 done; 1 invalid submission or failed gate; 2 usage; 3 weights or device missing, or a broken
    installation; 4 finished with some samples failed; 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    # torchao announces two deprecations of its own through torch's logger whenever transformers finds it.
    logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)
    if debug:
        logging.basicConfig(level=logging.DEBUG)
        logging.getLogger("matplotlib").setLevel(logging.INFO)
    try:
        build_app(words)(args=[word for word in words if word != "--debug"], prog_name="ipvg-eval")
    except IpvgError as error:
        if debug:
            raise
        _leave(error)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except ImportError as error:
        from ipvg_eval.core.packages import extra_of, package_missing

        if debug or extra_of((error.name or "").partition(".")[0]) is None:
            raise  # the installation is broken; see `ipvg_eval.cli.main`
        _leave(package_missing(error, extra="generator" if "generate" in words else None))
    except KeyboardInterrupt:
        if debug:
            raise
        STDERR.print("Interrupted.")
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        what = escape(f"{type(error).__name__}: {error}")
        STDERR.print(f"[bold red]error:[/] this should not have happened: {what}", soft_wrap=True)
        STDERR.print("Run the same command with --debug for the traceback, and report it.")
        sys.exit(1)


def _leave(error: IpvgError) -> NoReturn:
    STDERR.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
    if error.hint:
        STDERR.print(escape(error.hint), soft_wrap=True)
    sys.exit(error.exit_code)
