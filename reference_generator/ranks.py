"""Which of several processes this one is, as torchrun and Slurm say; and loading one after the other."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.reference_generator.errors import SettingsError

_NAMES = (("RANK", "WORLD_SIZE", "LOCAL_RANK"), ("SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"))
"""torchrun's first. Of Slurm the number of tasks of the step: a batch script without srun has none."""


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """This process among those that were started together.

    Attributes:
        rank: its number.
        count: how many there are.
        local: its number on this machine.
    """

    rank: int = 0
    count: int = 1
    local: int = 0

    @classmethod
    def from_environment(cls) -> Ranks:
        """What the environment says; alone if it says nothing.

        Raises:
            SettingsError: it contradicts itself.
        """
        for names in _NAMES:
            rank, count, local = (os.environ.get(name) for name in names)
            if count is None and (rank is None or names[0].startswith("SLURM")):
                continue
            said = f"{names[0]}={rank} and {names[1]}={count}"
            if rank is None or count is None or not rank.isdigit() or not count.isdigit():
                raise SettingsError(f"{said} name no shard", hint="Set or unset both, or give --shard.")
            if int(rank) >= int(count):
                raise SettingsError(
                    f"{names[0]}={rank} is outside {names[1]}={count}",
                    hint=f"{names[0]} runs from 0 to {names[1]} - 1.",
                )
            here = int(local) if local is not None and local.isdigit() else 0
            return cls(rank=int(rank), count=int(count), local=here)
        return cls(local=int(os.environ.get("LOCAL_RANK") or 0))


@contextmanager
def loading_turn(name: str) -> Iterator[None]:
    """One process of this machine and user at a time: weights pass through main memory on their way to a GPU.

    Args:
        name: of the turn; those that share it wait for one another.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    place = Path(tempfile.gettempdir()) / f"ipvg-eval-{os.getuid()}-{name}.turn"
    with place.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
