"""The tables about presets in the documentation, made from the preset files.

`python -m ipvg_eval.reference_generator.baseline_tables` writes reference_generator/README.md and
docs/baselines.md anew between their marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ipvg_eval.reference_generator.estimate import Estimate, estimate
from ipvg_eval.reference_generator.gpus import GPUS, named_gpus
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.machine import planned_machine
from ipvg_eval.reference_generator.plan_text import big, duration, plan_text
from ipvg_eval.reference_generator.preset import load_settings, preset_names
from ipvg_eval.reference_generator.published import differences
from ipvg_eval.reference_generator.settings import Settings

VIDEOS = 1000
COUNTS = (1, 4, 8)
GPU = "H100"
_TILED = ("runtime.vae_tiling=true",)
_MARK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def presets() -> list[Settings]:
    """All but the tiny ones."""
    return [settings for name in preset_names() if not (settings := load_settings(name)).tiny]


def written_anew(page: str) -> str:
    """A page with its tables as the presets say they are."""
    return _MARK.sub(lambda found: f"{found[1]}{BLOCKS[found[2]]()}{found[3]}", page)


def published() -> str:
    """A table per preset: published, here, why."""
    parts = []
    for settings in presets():
        parts.append(f"**`{settings.name}`**, against {settings.source}\n")
        rows = differences(settings)
        same = ", ".join(f"{row.what} {row.here}" for row in rows if row.published == row.here)
        parts.append(f"As published: {same}.\n")
        other = [(row.what, row.published, row.here, row.why) for row in rows if row.published != row.here]
        parts.append(_table(("what", "published", "here", "why"), other) if other else "")
    return "\n".join(parts)


def throughput() -> str:
    """Time and memory of each preset."""
    rows = []
    for settings in presets():
        name = settings.name
        guess, tiled = _guess(settings), _guess(load_settings(name, _TILED))
        if guess is None or tiled is None:
            rows.append((name, *["?"] * 9))
            continue
        hours = [f"{guess.hours(count) or 0:.0f}" for count in COUNTS]
        memory = [f"{guess.memory_gb['none']:.0f}", f"{guess.memory_gb['model']:.0f}"]
        memory += [f"{tiled.memory_gb['group']:.0f}", f"{guess.host_gb:.0f}"]
        models = f"{guess.models_gb:.0f}" if settings.model.stored_gb else "?"
        each = duration(guess.seconds_per_video or 0)
        rows.append((f"`{name}`", big(guess.parameters), each, *hours, *memory, models))
    heads = ("system", "parameters", "a video", *(f"{count} {GPU}, h" for count in COUNTS))
    return _table((*heads, "GB", "GB, model", "GB, group", "host GB", "files GB"), rows)


def dry_runs() -> str:
    """What `--gpu` prints for each preset."""
    here = planned_machine(*named_gpus(GPU))
    texts = []
    for settings in presets():
        guess = _guess(settings)
        if guess is not None:
            texts.append(f"```text\n{plan_text(settings, guess, here)}\n```\n")
    return "\n".join(texts)


def gpus() -> str:
    """The table of GPUs."""
    rows = [
        (
            gpu.name,
            f"{gpu.peak:g}",
            f"{gpu.tflops:.0f}",
            f"{gpu.memory_gb:g}",
            "yes" if gpu.measured else "no",
        )
        for gpu in GPUS
    ]
    return _table(("GPU", "peak TFLOP/s", "counted", "GB", "measured"), rows)


def _guess(settings: Settings) -> Estimate | None:
    """Of `VIDEOS` videos with one reference each."""
    if settings.model.architecture is None:
        return None
    jobs = [Job(id=str(n), prompt="", references=(Path(),), video=f"{n}.mp4") for n in range(VIDEOS)]
    return estimate(settings, jobs, tflops=named_gpus(GPU)[0].tflops)


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(_lines(heads, rows))


def _lines(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |\n"
    yield "|" + "---|" * len(heads) + "\n"
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "published": published,
    "throughput": throughput,
    "dry_runs": dry_runs,
    "gpus": gpus,
}
PAGES = ("reference_generator/README.md", "docs/baselines.md")


def main() -> None:
    """Write the pages of the working folder anew."""
    for name in PAGES:
        page = Path(name)
        page.write_text(written_anew(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
