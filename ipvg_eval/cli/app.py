"""The command's entry point: subcommands, error messages and exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.markup import escape

from ipvg_eval.cli.commands import add_commands
from ipvg_eval.cli.consoles import STDERR, STDOUT, keep_streams_printing
from ipvg_eval.core.errors import ExitCode, IpvgError, UsageError

_WRONG_PATHS = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENOTDIR)

# Typer has a click of its own from some version on; this is its class of them in every version.
_WRONG_WORDS: Any = typer.BadParameter.__base__


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        STDOUT.out(f"ipvg-eval {metadata.version('ipvg-eval')}")
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
    """Run the command and exit with an `ExitCode`.

    Where `--json` is given, an error is JSON on stdout too: kind, message, path, hint and exit_code.
    """
    words = sys.argv[1:] if arguments is None else arguments
    debug, as_json = "--debug" in words, "--json" in words
    keep_streams_printing()
    # torchao announces two deprecations of its own through torch's logger whenever transformers finds it.
    logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)
    if debug:
        logging.basicConfig(level=logging.DEBUG)
        logging.getLogger("matplotlib").setLevel(logging.INFO)
    try:
        sys.exit(_run([word for word in words if word != "--debug"], as_json=as_json))
    except IpvgError as error:
        if debug:
            raise
        _leave(error, as_json=as_json)
    except ImportError as error:
        from ipvg_eval.core.packages import extra_of, package_missing

        if debug or extra_of((error.name or "").partition(".")[0]) is None:
            raise  # the installation is broken; see `ipvg_eval.cli.main`
        extra = "generator" if "generate" in words else None
        _leave(package_missing(error, extra=extra), as_json=as_json)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(ExitCode.DONE)
    except (KeyboardInterrupt, typer.Abort):
        if debug:
            raise
        STDERR.print("Interrupted.")
        sys.exit(ExitCode.INTERRUPTED)
    except Exception as error:
        from ipvg_eval.core.packages import broken_package

        if debug:
            raise
        if found := broken_package(error) or _wrong_path(error, words):
            _leave(found, as_json=as_json)
        what = f"this should not have happened: {type(error).__name__}: {error}"
        hint = "Run the same command with --debug for the traceback, and report it."
        if as_json:
            _print_json(type(error).__name__, what, ExitCode.FAULT, None, hint)
        STDERR.print(f"[bold red]error:[/] {escape(what)}", soft_wrap=True)
        STDERR.print(hint)
        sys.exit(ExitCode.FAULT)


def _run(words: list[str], *, as_json: bool) -> int:
    """The command's exit code; what click finds wrong with the words is printed as click does."""
    _expect_words(words)
    try:
        command = build_app(words)
        return command(args=words, prog_name="ipvg-eval", standalone_mode=False) or ExitCode.DONE
    except _WRONG_WORDS as error:
        from typer.rich_utils import rich_format_error

        if as_json:
            _print_json("UsageError", error.format_message(), ExitCode.USAGE, None, "Try --help.")
        rich_format_error(error)
        return ExitCode.USAGE


def _expect_words(words: list[str]) -> None:
    """See that no word is empty, as a shell variable is that was never set: it would mean the folder here."""
    for before, word in pairwise(["", *words]):
        option = before if word == "" else word.removesuffix("=")
        if (word == "" or word == f"{option}=") and option != "--prompt":
            what = f"nothing follows {option}" if option.startswith("--") else "an argument is empty"
            raise UsageError(what, hint="Is a variable of the shell not set?")


def _wrong_path(error: Exception, words: list[str]) -> UsageError | None:
    """What is wrong with a path that was typed, where the system refuses to look at it at all."""
    if not isinstance(error, OSError) or error.errno not in _WRONG_PATHS or error.filename is None:
        return None
    here = Path.cwd()
    refused = here / os.fsdecode(error.filename)
    for typed in [half for word in words for half in (word, word.partition("=")[2]) if half]:
        if here / typed in (refused, *refused.parents):
            return UsageError(
                f"cannot be used ({error.strerror})", path=typed, hint="Check the path and its permissions."
            )
    return None


def _leave(error: IpvgError, *, as_json: bool) -> NoReturn:
    if as_json:
        _print_json(type(error).__name__, error.message, error.exit_code, error.path, error.hint)
    STDERR.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
    if error.hint:
        STDERR.print(escape(error.hint), soft_wrap=True)
    sys.exit(error.exit_code)


def _print_json(kind: str, message: str, code: int, path: object, hint: str | None) -> None:
    where = None if path is None else str(path)
    STDOUT.out_json(
        {"error": {"kind": kind, "message": message, "path": where, "hint": hint, "exit_code": int(code)}}
    )
