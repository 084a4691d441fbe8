"""`ipvg-eval view`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from ipvg_eval.cli.consoles import STDERR, STDOUT
from ipvg_eval.core.errors import UsageError

if TYPE_CHECKING:
    from ipvg_eval.viewer import Material


class _Videos(StrEnum):
    COPY = "copy"
    LINK = "link"
    NONE = "none"


def view(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders, up to six.")],
    submissions: Annotated[
        list[str] | None,
        typer.Option(
            "--submission",
            metavar="PATH|TEAM=PATH",
            help="The videos: what was scored, or a folder that holds it; repeatable. Stills without it.",
        ),
    ] = None,
    testset: Annotated[
        Path | None,
        typer.Option(help="Test set; else $IPVG_TESTSET, else testset/ beside the submission or here."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen; 0 for any free port.")] = 0,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
    out: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write the pages as files instead.")
    ] = None,
    videos: Annotated[
        _Videos | None, typer.Option(help="With --export: what becomes of the videos; copy if left out.")
    ] = None,
    public: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="With --export: write these samples alone, such as 'id001/*', and nothing of any other; "
            "repeatable.",
        ),
    ] = None,
) -> None:
    """Look at every sample with its video, prompt and numbers; one run, or several side by side."""
    from ipvg_eval.viewer import gather

    given = list(submissions or [])
    if out is None:
        if videos is not None or public:
            raise UsageError("--videos and --public are about an export", hint="Give --export DIR, too.")
        _serve(runs, given, testset, port, open_browser)
        return
    from ipvg_eval.viewer.export import Videos, export

    material = gather(runs, given, testset, public=public or [])
    _say(material)
    for problem in export(material, out, videos=Videos(videos or _Videos.COPY)):
        STDERR.print(f"[yellow]left out:[/] {escape(problem)}", soft_wrap=True)
    STDOUT.out(str(out / "index.html"))


def _serve(runs: list[Path], given: list[str], testset: Path | None, port: int, open_browser: bool) -> None:
    from ipvg_eval.viewer import gather
    from ipvg_eval.viewer.serve import serve

    def ready(address: str, material: Material) -> None:
        _say(material)
        STDOUT.out(address)
        STDERR.print("Only this machine can open it; stop with Ctrl-C.")
        if open_browser:
            import webbrowser

            webbrowser.open(address)

    serve(lambda: gather(runs, given, testset), port=port, ready=ready)


def _say(material: Material) -> None:
    for side in material.sides:
        if side.videos:
            STDERR.print(
                f"[yellow]{escape(side.name)}: stills only[/]: {escape(side.videos)}", soft_wrap=True
            )
    for notice in material.notices:
        STDERR.print(escape(notice), soft_wrap=True)
