"""A finished run under another protocol, recombined from what it kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.core.file_names import folder_name
from ipvg_eval.core.measurement import FrameFeatures, FrameValues, Measurement
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status
from ipvg_eval.core.run import RescoredInfo, RunInfo
from ipvg_eval.errors import RunError, RunUnwritable
from ipvg_eval.metrics.protocols.loading import LoadedProtocol, restore_protocol
from ipvg_eval.metrics.protocols.recombination import Step, cannot_recombine, plan_recombination
from ipvg_eval.metrics.rescoring import Kept, KeptMissing
from ipvg_eval.results import Run, load_run
from ipvg_eval.results.features import read_features
from ipvg_eval.results.folder import RunFolder
from ipvg_eval.results.provenance import collect_provenance
from ipvg_eval.scoring.corpus import summarise_corpus
from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.scorer_info import describe_protocol

_COPIED = ("thumbnails", "features", "findings.json", "references.json")


def rescore(
    run: Run | Path | str,
    protocol: str,
    *,
    out: Path | str | None = None,
    metrics: Sequence[str] | None = None,
    frames: int | None = None,
    command: tuple[str, ...] | None = None,
) -> Run:
    """Recombine a run under another protocol; no video is decoded and no network runs.

    A metric is copied where the run measured it with the same options, and computed anew from its values
    frame by frame and its embeddings where its evaluator knows how. Weighted sums and metrics of the whole
    submission are always computed anew. The result equals scoring under that protocol.

    Args:
        run: a run, or its folder.
        protocol: name of a shipped protocol or path of a .yaml file.
        out: the new run folder; TEAM-PROTOCOL beside the run where None.
        metrics: the metrics wanted; all of the protocol's where None.
        frames: the frame budget that the run had, None for the protocol's own rule.
        command: the command line, for provenance.

    Returns:
        The new run, read back from its folder.

    Raises:
        ProtocolError: the protocol is not understood, or metrics cannot be recombined, all listed with the
            reasons; nothing is written.
        RunError: the run cannot be read, or the new folder is taken or cannot be written.
    """
    source = run if isinstance(run, Run) else load_run(run)
    wanted = Recipe(protocol=protocol, metrics=metrics, frames=frames).load_protocol()
    where = source.folder.path / "run.json"
    versions = {spec.name: spec.version for spec in source.info.specs}
    earlier = restore_protocol(
        source.info.protocol.text, source.info.protocol.evaluators, where=str(where), versions=versions
    )
    steps = plan_recombination(wanted, earlier, versions)
    rows = _recombined(source, wanted, steps)
    name = wanted.definition.name
    target = (
        Path(out)
        if out is not None
        else source.folder.path.parent / f"{folder_name(source.info.team)}-{name}"
    )
    with _new_folder(target) as folder:
        _keep_files(source.folder, folder)
        with folder.journal.appending() as journal:
            for row in rows:
                journal.append(row)
        info = _info(source, wanted, command)
        folder.write_results(info, rows, summarise_corpus(wanted.corpus, folder, rows))
    return load_run(target)


def _recombined(source: Run, wanted: LoadedProtocol, steps: Sequence[Step]) -> list[SampleRow]:
    """The new rows in the test set's order; what was not kept is told for all samples at once."""
    journal = source.folder.journal.read()
    rows: list[SampleRow] = []
    lacking: dict[str, list[str]] = {}
    for sample in source.samples["sample"]:
        if sample not in journal:
            raise RunError(
                f"it has no row for sample {sample}, which samples.parquet has",
                path=source.folder.path / "journal.jsonl",
                hint="Restore the journal, or score the submission again.",
            )
        row = journal[sample]
        rows.append(_row(row, source.folder, steps, lacking))
    if lacking:
        raise cannot_recombine(
            wanted,
            {name: f"{whys[0]}, for {len(whys)} of {len(rows)} samples" for name, whys in lacking.items()},
        )
    return rows


def _row(
    row: SampleRow, folder: RunFolder, steps: Sequence[Step], lacking: dict[str, list[str]]
) -> SampleRow:
    if row.status is not Status.SCORED:
        unmeasured = (MeasurementRow(name=s.spec.name, value=None, reason=row.reason) for s in steps)
        return row.model_copy(update={"measurements": tuple(unmeasured)})
    kept = _kept(row, read_features(folder.features(row.sample)))
    measurements: list[MeasurementRow] = []
    for step in steps:
        try:
            measurements.append(MeasurementRow.of(step.measurement(kept)))
        except KeptMissing as error:
            lacking.setdefault(step.spec.name, []).append(str(error))
    seen = {index for measurement in measurements for index in measurement.frame_indices}
    times = {index: time for index, time in row.frame_times.items() if index in seen}
    return row.model_copy(update={"measurements": tuple(measurements), "frame_times": times})


def _kept(row: SampleRow, features: dict[str, FrameFeatures]) -> Kept:
    measurements = {
        m.name: Measurement(
            name=m.name,
            value=m.value,
            reason=m.reason,
            note=m.note,
            per_frame=FrameValues(indices=m.frame_indices, values=m.frame_values, boxes=m.frame_boxes)
            if m.frame_indices
            else None,
            features=features.get(m.name),
        )
        for m in row.measurements
    }
    return Kept(frame_count=row.facts.frame_count if row.facts else 0, measurements=measurements)


def _info(source: Run, wanted: LoadedProtocol, command: tuple[str, ...] | None) -> RunInfo:
    """The source's facts, with the protocol and what follows from it."""
    needed = set(wanted.required_weights())
    for part in wanted.parts:
        needed.update(name for spec in part.cls.specs_for(part.options) for name in spec.weights)
    seed = source.info.random_weights if wanted.required_weights() else None
    return source.info.model_copy(
        update={
            "protocol": describe_protocol(wanted, seed),
            "specs": wanted.specs,
            "weights": {name: sha for name, sha in source.info.weights.items() if name in needed},
            "random_weights": seed,
            "command": command,
            "rescored": RescoredInfo(
                folder=source.folder.path.resolve().name,
                protocol=comparable_facts(source.info)["protocol"],
                samples_sha256=_sha256(source.folder.path / "samples.parquet"),
                command=source.info.command,
                provenance=collect_provenance({p.package: p.version for p in wanted.packages}),
                at=datetime.now(UTC).isoformat(timespec="seconds"),
            ),
        }
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _new_folder(path: Path) -> Iterator[RunFolder]:
    """A folder that takes its name when the block ends well; otherwise nothing is left.

    Raises:
        RunUnwritable: the name is taken, or the folder cannot be written.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunUnwritable(
            "there is something here already",
            path=path,
            hint="Choose another folder with --out, or remove this one.",
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as temporary:
            inside = Path(temporary) / "run"
            inside.mkdir()
            yield RunFolder(inside)
            if path.exists():
                path.rmdir()
            inside.rename(path)
    except OSError as error:
        raise RunUnwritable(
            f"the run cannot be written ({error.strerror or error})",
            path=path,
            hint="Mend that, or choose another folder with --out.",
        ) from error


def _keep_files(source: RunFolder, folder: RunFolder) -> None:
    """Pictures, embeddings and findings are the same files: linked where the disk can, else copied."""
    for name in _COPIED:
        old, new = source.path / name, folder.path / name
        if old.is_dir():
            shutil.copytree(old, new, copy_function=_link)
        elif old.exists():
            _link(old, new)


def _link(old: Path | str, new: Path | str) -> None:
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)
