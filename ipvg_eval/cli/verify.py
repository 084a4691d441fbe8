"""`ipvg-eval verify`, `sign` and `keygen`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from ipvg_eval.cli.consoles import STDOUT
from ipvg_eval.core.errors import UsageError

if TYPE_CHECKING:
    from ipvg_eval.results import Run


def verify(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    public_key: Annotated[Path | None, typer.Option(help="Check the signature with this key, too.")] = None,
    recompute: Annotated[
        int | None, typer.Option(min=1, help="Measure so many samples again; needs --submission.")
    ] = None,
    submission: Annotated[Path | None, typer.Option(help="What was scored, for --recompute.")] = None,
    testset: Annotated[Path | None, typer.Option(help="Test set, for --recompute; as for `score`.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which samples are measured again.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda:N.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Check that a run is what was measured: files, tables, signature, numbers. Exit 1 if not."""
    from ipvg_eval.results import load_run
    from ipvg_eval.results.checksums import check_folder
    from ipvg_eval.results.consistency import inconsistencies
    from ipvg_eval.results.signing import check_signature

    if recompute is not None and submission is None:
        raise UsageError("--recompute needs --submission", hint="Give the submission that was scored.")
    files = check_folder(run)
    outcome: dict[str, Any] = {
        "run": str(run),
        "files": files.files,
        "changed": files.changed,
        "missing": files.missing,
        "added": files.added,
    }
    ok = files.ok
    if public_key is not None:
        outcome["signed"] = check_signature(run, public_key)
        ok = ok and outcome["signed"]
    if files.ok:
        read = load_run(run)
        outcome["inconsistent"] = inconsistencies(read)
        ok = ok and not outcome["inconsistent"]
        if recompute is not None and submission is not None:
            outcome["recomputed"] = _recompute(read, submission, testset, recompute, seed, device)
            ok = ok and not outcome["recomputed"]["differences"]
    outcome["ok"] = ok
    if as_json:
        STDOUT.out_json(outcome)
    else:
        _print(outcome)
    raise typer.Exit(0 if ok else 1)


def _recompute(
    run: Run, submission: Path, testset: Path | None, count: int, seed: int, device: str
) -> dict[str, Any]:
    from ipvg_eval.cli.progress import sample_progress
    from ipvg_eval.scoring.recompute import recompute
    from ipvg_eval.testset import find_testset

    with sample_progress(run.info.team) as on_sample:
        return asdict(
            recompute(
                run,
                submission,
                find_testset(testset, submission),
                count=count,
                seed=seed,
                device=device,
                on_sample=on_sample,
            )
        )


def _print(outcome: dict[str, Any]) -> None:
    for what in ("changed", "missing", "added"):
        for name in outcome[what]:
            STDOUT.print(f"[bold red]{what}[/] {escape(name)}", soft_wrap=True)
    for name in outcome.get("inconsistent", ()):
        STDOUT.print(f"[bold red]does not follow from the rows[/] {escape(name)}", soft_wrap=True)
    if outcome.get("signed") is False:
        STDOUT.print("[bold red]the signature is not by the owner of this key[/], or of other checksums")
    if recomputed := outcome.get("recomputed"):
        _print_recomputed(recomputed)
    if outcome["ok"]:
        signed = ", signature good" if outcome.get("signed") else ""
        STDOUT.print(f"[bold green]UNCHANGED[/]: {outcome['files']:,} files{signed}", soft_wrap=True)
    else:
        STDOUT.print("[bold red]NOT AS RECORDED[/]")


def _print_recomputed(recomputed: dict[str, Any]) -> None:
    for name, (old, new) in recomputed["unlike"].items():
        STDOUT.print(f"unlike the run's machine: {name} {old} there, {new} here", markup=False)
    for found in recomputed["differences"]:
        STDOUT.print(
            f"{found['sample']} {found['metric']}: {found['recorded']} recorded, {found['measured']} "
            f"measured, tolerance {found['tolerance']:g}",
            markup=False,
            soft_wrap=True,
        )
    agree = recomputed["values"] - sum(found["metric"] != "video" for found in recomputed["differences"])
    how = "within the tolerance of each metric" if recomputed["unlike"] else "exactly"
    STDOUT.print(
        f"measured again: {len(recomputed['samples'])} samples (seed {recomputed['seed']}), {agree} of "
        f"{recomputed['values']} values agree {how}",
        markup=False,
        soft_wrap=True,
    )


def sign(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    key: Annotated[Path, typer.Option(help="Private key, from `keygen`.")],
) -> None:
    """Sign a run, so that anybody with the public key can see that it is as you published it."""
    from ipvg_eval.results.signing import sign as sign_run

    STDOUT.out(str(sign_run(run, key)))


def keygen(
    key: Annotated[Path, typer.Argument(help="File for the private key; .pub is added for the public.")],
) -> None:
    """Make a pair of keys for `sign` and `verify --public-key`."""
    from ipvg_eval.results.signing import make_keys

    STDOUT.out(str(make_keys(key)))
