"""`ipvg-eval validate`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ipvg_eval.cli.consoles import STDOUT
from ipvg_eval.cli.decoding import (
    MEMORY,
    SECONDS,
    BudgetOfSubmission,
    DecoderMemory,
    DecoderSeconds,
    RequireConfinement,
)
from ipvg_eval.cli.progress import delayed_progress
from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.limits import ProcessLimits
from ipvg_eval.testset.model import Track


def validate(
    submission: Annotated[str, typer.Argument(help="Folder or zip, or a URL of either.")],
    testset: Annotated[
        Path | None,
        typer.Option(
            help="Test set; else $IPVG_TESTSET, else testset/ beside the submission or here. Where there is "
            "none, only the submission's shape is checked."
        ),
    ] = None,
    track: Annotated[Track | None, typer.Option(help="Track; told from the name if left out.")] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every frame.")] = False,
    decoder_memory: DecoderMemory = MEMORY,
    decoder_seconds: DecoderSeconds = SECONDS,
    budget: BudgetOfSubmission = None,
    require_confinement: RequireConfinement = False,
    faces: Annotated[
        bool, typer.Option("--faces", help="Look at the faces of the reference pictures, on the CPU.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every finding as JSON.")] = False,
) -> None:
    """Check a submission before the upload. Exit 0 if it is valid, 1 if not."""
    from ipvg_eval import validation
    from ipvg_eval.submission.address import is_url
    from ipvg_eval.testset import find_testset_if_any, load_testset

    place = find_testset_if_any(testset, None if is_url(submission) else Path(submission))
    if faces and place is None:
        raise UsageError("--faces needs a test set", hint="Give it with --testset.")
    with delayed_progress("checking videos") as progress:
        found = validation.validate(
            submission,
            place,
            track=track,
            deep=deep,
            progress=progress,
            process_limits=ProcessLimits(
                memory_mib=decoder_memory,
                seconds=decoder_seconds,
                require_confinement=require_confinement,
            ),
            budget=budget,
        )
    if faces and place is not None:
        from ipvg_eval.reference_faces import look_at_reference_faces

        seen = look_at_reference_faces(load_testset(place))
        found = replace(found, testset_findings=(*found.testset_findings, *seen))
    if as_json:
        STDOUT.out_json(found.to_dict())
    else:
        validation.render(found, STDOUT)
    raise typer.Exit(0 if found.ok else 1)
