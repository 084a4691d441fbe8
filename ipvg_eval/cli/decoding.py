"""Options that every command that opens videos has."""

from __future__ import annotations

from typing import Annotated

import typer

from ipvg_eval.core.budget import Budget
from ipvg_eval.core.limits import ProcessLimits

_DEFAULT = ProcessLimits()
MEMORY = _DEFAULT.memory_mib
SECONDS = _DEFAULT.seconds

DecoderMemory = Annotated[
    int, typer.Option(min=512, max=2**20, help="Memory of each process that opens videos, in MiB.")
]
RequireConfinement = Annotated[
    bool,
    typer.Option(
        "--require-confinement", help="Exit 3 where the system cannot confine the processes that open videos."
    ),
]
BudgetOfSubmission = Annotated[
    Budget | None,
    typer.Option(
        parser=Budget.parse,
        metavar="seconds=N,bytes=N,pixels=N",
        help="What a submission's videos may cost together; what is left out goes by their number.",
    ),
]
DecoderSeconds = Annotated[
    float, typer.Option(min=0.1, max=86_400, help="Time to open a video, and again to decode it.")
]
Decoders = Annotated[int, typer.Option(min=1, max=256, help="Videos decoded at a time.")]
