"""`ipvg-eval weights`: the published weights on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from ipvg_eval.cli.consoles import STDERR, STDOUT, listing
from ipvg_eval.cli.pull_progress import pull_progress
from ipvg_eval.core.errors import ExitCode
from ipvg_eval.core.packages import by_hand_line, by_hand_missing
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.weight_file import Bundled, WeightFile
from ipvg_eval.metrics.weights import WEIGHTS, LookUp, WeightStore, declared
from ipvg_eval.metrics.weights.errors import NoSpace
from ipvg_eval.metrics.weights.places import WEIGHTS_DIR, free_space
from ipvg_eval.metrics.weights.pull import Pulled
from ipvg_eval.metrics.weights.pull_several import pull_several
from ipvg_eval.metrics.weights.sizes import readable_size

app = typer.Typer(no_args_is_help=True, help="Find, fetch and verify the published weights.")


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show every declared weight, its terms, and where it is on this machine.

    Files seen for the first time are hashed, which takes a second per gigabyte or so.
    """
    store = WeightStore(_table())
    look_ups = [store.look_up(name) for name in store.table]
    if as_json:
        STDOUT.out_json([_as_json(item) for item in look_ups])
        return
    table = Table("Name", "Used by", "Size", "Licence", "State")
    for item in look_ups:
        weight = item.weight
        licence = ("[bold red]NON-COMMERCIAL[/] " if weight.non_commercial else "") + escape(weight.licence)
        table.add_row(
            weight.name, ", ".join(weight.used_by), readable_size(weight.size), licence, _state(item)
        )
    listing().print(table)


@app.command("pull")
def pull_command(
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME...", help="Weights to fetch.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Fetch every declared weight.")] = False,
    protocol: Annotated[
        str | None, typer.Option("--protocol", help="Fetch what this protocol needs.", metavar="NAME")
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option(
            "--mirror",
            metavar="BASE",
            help="Address or folder to take files from: BASE/FILE, and BASE/FOLDER/FILE with "
            "BASE/FOLDER/SHA256SUMS. Any folder that was pulled into can serve as one.",
        ),
    ] = None,
) -> None:
    """Fetch weights, verified by their sha256, one at a time from each host; run it again to go on.

    Files go to $IPVG_WEIGHTS_DIR if it is set, else to the cache (hub files to the Hugging Face cache).
    """
    table = _table()
    wanted = _wanted(names or [], everything, protocol, table)
    store = WeightStore(table)
    _announce(wanted, store)
    if absent := by_hand_missing():
        what = f"Networks that some of these weights belong to are missing: {'; '.join(absent)}."
        STDERR.print(f"{what} Run: {by_hand_line()}", markup=False, soft_wrap=True)
    failed = 0
    with pull_progress(STDERR) as progress:
        weights = [declared(name, table) for name in wanted]
        pulled = pull_several(weights, new_store=lambda: WeightStore(table), mirror=mirror, progress=progress)
        for weight, outcome in pulled:
            if isinstance(outcome, Pulled):
                STDOUT.out(f"{weight.name}\t{outcome.action}\t{outcome.found.path}")
                continue
            failed += 1
            STDERR.print(f"[bold red]error:[/] {escape(str(outcome))}", soft_wrap=True)
            if outcome.hint:
                STDERR.print(escape(outcome.hint), soft_wrap=True)
    if failed:
        STDERR.print(f"{failed} of {len(wanted)} weights could not be fetched.")
        raise typer.Exit(ExitCode.UNAVAILABLE)


def _announce(names: list[str], store: WeightStore) -> None:
    """Say how much is to come and where it goes.

    Raises:
        NoSpace: there is no room for it, before anything is fetched.
    """
    lacking = [item.weight for name in names if (item := store.look_up(name)).found is None]
    if not lacking:
        return
    size = sum(weight.size or 0 for weight in lacking)
    target = store.places.target
    free = free_space(target)
    unknown = " and more" if any(weight.size is None for weight in lacking) else ""
    STDERR.print(
        f"{len(lacking)} weights, {readable_size(size)}{unknown}, to {target}; {readable_size(free)} free",
        markup=False,
        soft_wrap=True,
    )
    if size > free:
        raise NoSpace(
            f"{target}: {readable_size(size)} are needed, {readable_size(free)} are free",
            hint=f"Free some space, or set {WEIGHTS_DIR} to a folder on another disk.",
        )


@app.command("verify")
def verify_command() -> None:
    """Hash every weight on this machine anew; exit 1 if one is not what it should be."""
    store = WeightStore(_table(), fresh=True)
    wrong = 0
    for name in store.table:
        item = store.look_up(name)
        for rejected in item.rejected:
            wrong += 1
            STDOUT.out(f"{name}\tWRONG\t{rejected.path}\t{rejected.reason}")
        if item.found is not None:
            STDOUT.out(f"{name}\tok\t{item.found.path}")
        elif not item.rejected:
            STDOUT.out(f"{name}\tmissing")
    if wrong:
        raise typer.Exit(ExitCode.INVALID)


@app.command("path")
def path_command(name: Annotated[str, typer.Argument(help="A weight's name or file name.")]) -> None:
    """Print where a weight is, verified; exit 3 if it is not on this machine."""
    STDOUT.out(WeightStore(_table()).path(name))


def _table() -> Mapping[str, WeightFile]:
    """Our weights, and those that evaluators of installed packages declare; broken ones are named."""
    from ipvg_eval.metrics.plugins import BrokenPlugin, installed_plugins, with_weights

    if not installed_plugins():
        return WEIGHTS
    from ipvg_eval.metrics.registry import outside_evaluators

    classes = []
    for _, found in outside_evaluators():
        if isinstance(found, BrokenPlugin):
            STDERR.print(f"[yellow]warning:[/] {escape(str(found))}", soft_wrap=True)
        else:
            classes.append(found)
    return with_weights(classes)


def _wanted(
    names: list[str], everything: bool, protocol: str | None, table: Mapping[str, WeightFile]
) -> list[str]:
    wanted = [declared(name, table).name for name in names]
    if everything:
        wanted += [weight.name for weight in table.values() if not isinstance(weight.source, Bundled)]
    if protocol is not None:
        from ipvg_eval.metrics.protocols.loading import (
            load_protocol,  # reaches the evaluators, and with them torch
        )

        loaded = load_protocol(protocol)
        wanted += (*loaded.required_weights(), *loaded.optional_weights())
    elif not wanted:
        raise ProtocolError(
            "no weight is named",
            hint="Name weights, or use --all or --protocol NAME; `ipvg-eval weights list` shows them.",
        )
    return list(dict.fromkeys(wanted))


def _state(item: LookUp) -> str:
    if item.found is not None:
        return f"[green]found[/] {escape(item.found.where)}"
    if item.rejected:
        return f"[red]wrong[/] {escape(f'{item.rejected[0].path}: {item.rejected[0].reason}')}"
    return "missing"


def _as_json(item: LookUp) -> dict[str, Any]:
    weight, found = item.weight, item.found

    def text(path: Path) -> str:
        return str(path)

    return {
        "name": weight.name,
        "used_by": list(weight.used_by),
        "source": str(weight.source),
        "file": weight.file_name,
        "size": weight.size,
        "sha256": weight.sha256,
        "licence": weight.licence,
        "non_commercial": weight.non_commercial,
        "note": weight.note,
        "found": {"path": text(found.path), "sha256": found.sha256, "where": found.where} if found else None,
        "rejected": [{"path": text(bad.path), "reason": bad.reason} for bad in item.rejected],
    }
