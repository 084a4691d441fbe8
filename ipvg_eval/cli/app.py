"""The command's entry point: subcommands, error messages and exit codes."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer
from rich.markup import escape

from ipvg_eval.cli import (
    agree,
    audit,
    compare,
    elo,
    generate,
    leaderboard,
    protocols,
    report,
    rescore,
    score,
    select,
    study,
    timeline,
    validate,
    verify,
    weights,
)
from ipvg_eval.cli.consoles import STDERR
from ipvg_eval.core.errors import IpvgError

_INTERRUPTED = 130

app = typer.Typer(
    name="ipvg-eval",
    help="Check, score and rank identity-preserving video generation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("validate")(validate.validate)
app.command("score")(score.score)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("audit")(audit.audit)
app.command("verify")(verify.verify)
app.command("sign")(verify.sign)
app.command("keygen")(verify.keygen)
app.command("rescore")(rescore.rescore)
app.command("generate")(generate.generate)
app.command("select")(select.select)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("elo")(elo.elo)
app.command("agree")(agree.agree)
app.add_typer(protocols.app, name="protocols")
app.add_typer(study.app, name="study")
app.add_typer(timeline.app, name="timeline")
app.add_typer(weights.app, name="weights")


def _version(wanted: bool) -> None:
    if wanted:
        from ipvg_eval.results.provenance import tool_version

        typer.echo(f"ipvg-eval {tool_version()}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks. Works in any position.")] = False,
) -> None:
    """Check, score and rank identity-preserving video generation."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit.

    Exit codes: 0 done; 1 invalid submission or failed gate; 2 usage; 3 weights or device missing;
    4 finished with some samples failed; 130 interrupted.
    """
    words = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in words
    # torchao announces two deprecations of its own through torch's logger whenever transformers finds it.
    logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)
    if debug:
        logging.basicConfig(level=logging.DEBUG)
        logging.getLogger("matplotlib").setLevel(logging.INFO)
    try:
        app(args=[word for word in words if word != "--debug"], prog_name="ipvg-eval")
    except IpvgError as error:
        if debug:
            raise
        STDERR.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        if error.hint:
            STDERR.print(escape(error.hint), soft_wrap=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
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
