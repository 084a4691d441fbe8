"""The run folder: where a run is written and resumed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from ipvg_eval.core.comparability import obstacles
from ipvg_eval.core.file_names import file_name
from ipvg_eval.core.intervals import INTERVAL_TITLE, caution
from ipvg_eval.core.printable import json_escaped, json_text
from ipvg_eval.core.row import SampleRow
from ipvg_eval.core.run import RunInfo
from ipvg_eval.core.summary import CorpusSummary, Summary
from ipvg_eval.errors import RunUnwritable
from ipvg_eval.findings import Finding
from ipvg_eval.results.aggregate import aggregate, summarise_combinations
from ipvg_eval.results.checksums import write_checksums
from ipvg_eval.results.files import read_json, write_text
from ipvg_eval.results.identification import identifications
from ipvg_eval.results.journal import Journal
from ipvg_eval.results.references import REFERENCE_FACES, ReferenceFace
from ipvg_eval.results.summary import to_latex, to_markdown
from ipvg_eval.results.tables import frames_table, samples_table, timings_table, write_csv, write_parquet

FINDINGS = TypeAdapter(tuple[Finding, ...])

RUN_FILES = frozenset(
    {
        "run.json",
        "journal.jsonl",
        "samples.parquet",
        "samples.csv",
        "frames.parquet",
        "timings.csv",
        "summary.json",
        "summary.md",
        "summary.tex",
        "findings.json",
        "references.json",
        "SHA256SUMS",
    }
)
"""The files of a run folder; thumbnails/ and features/ are beside them."""

EVENT_PICTURES = 24
"""Events of a timeline that get a picture, at most."""


class RunFolder:
    """The files of one run: `RUN_FILES`, thumbnails/ and features/."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal = Journal(path / "journal.jsonl")

    @contextmanager
    def writing(self, info: RunInfo) -> Iterator[None]:
        """Take the folder for a run, or go on with the run that is in it.

        Raises:
            RunError: another process writes here, or the folder holds a run that differs in a way that
                would mix incomparable rows.
        """
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout as error:
            raise RunUnwritable(
                "another process is writing this run",
                path=self.path,
                hint="Wait for it, or choose another folder with --out.",
            ) from error
        except OSError as error:
            raise RunUnwritable(
                f"this run folder cannot be written ({error.strerror})",
                path=self.path,
                hint="Choose another folder with --out.",
            ) from error
        try:
            self._continue_or_begin(info)
            yield
        finally:
            lock.release()

    def _continue_or_begin(self, info: RunInfo) -> None:
        if not self._info_path.exists():
            self._expect_room()
            self.write_info(info)
            return
        earlier = self.read_info()
        different = obstacles(earlier, info)
        if different:
            lines = [f"  {name}: {old} there, {new} now" for name, (old, new) in different.items()]
            raise RunUnwritable(
                "this folder holds a run that differs from this one:\n" + "\n".join(lines),
                path=self.path,
                hint="Choose another folder with --out, or remove this one to start afresh.",
            )

    def _expect_room(self) -> None:
        """See that nothing lies here that a run could hide or write over; a log beside it may."""
        taken = sorted(
            f"{path.name}/" if path.is_dir() else path.name
            for path in self.path.iterdir()
            if (path.is_dir() or path.name in RUN_FILES) and not path.name.startswith(".")
        )
        if taken:
            raise RunUnwritable(
                f"this folder is no run and is not empty: {', '.join(taken[:3])}"
                + (" ..." if len(taken) > 3 else ""),
                path=self.path,
                hint="Choose another folder with --out.",
            )

    @property
    def _info_path(self) -> Path:
        return self.path / "run.json"

    def read_info(self) -> RunInfo:
        """Read run.json.

        Raises:
            RunError: it is missing or damaged.
        """
        return read_json(self._info_path, RunInfo.model_validate_json)

    def write_info(self, info: RunInfo) -> None:
        """Write run.json."""
        write_text(self._info_path, json_escaped(info.model_dump_json(indent=2)) + "\n")

    def write_findings(self, findings: Sequence[Finding]) -> None:
        """Write findings.json."""
        records = [asdict(finding) for finding in findings]
        write_text(self.path / "findings.json", json_text(records, indent=2) + "\n")

    def read_findings(self) -> tuple[Finding, ...]:
        """Read findings.json; nothing where it is not written yet.

        Raises:
            RunError: it is damaged.
        """
        path = self.path / "findings.json"
        return read_json(path, FINDINGS.validate_json) if path.exists() else ()

    def write_reference_faces(self, faces: Sequence[ReferenceFace]) -> None:
        """Write references.json."""
        records = REFERENCE_FACES.dump_python(tuple(faces), mode="json")
        write_text(self.path / "references.json", json_text(records, indent=2) + "\n")

    def read_reference_faces(self) -> tuple[ReferenceFace, ...]:
        """Read references.json; nothing where nobody looked at the pictures.

        Raises:
            RunError: it is damaged.
        """
        path = self.path / "references.json"
        return read_json(path, REFERENCE_FACES.validate_json) if path.exists() else ()

    def thumbnail(self, sample: str) -> Path:
        """Where a sample's contact strip lies."""
        return _place(self.path / "thumbnails", sample, ".webp")

    def event_picture(self, sample: str, number: int) -> Path:
        """Where the picture of an event of a sample's timeline lies; numbers from 1."""
        return _place(self.path / "thumbnails" / "events", sample, f"-{number}.webp")

    def reference(self, identity: str) -> Path:
        """Where the small copy of an identity's first reference picture lies."""
        return _place(self.path / "thumbnails" / "references", identity, ".webp")

    def features(self, sample: str) -> Path:
        """Where a sample's embeddings lie."""
        return _place(self.path / "features", sample, ".npz")

    def write_results(
        self, info: RunInfo, rows: Sequence[SampleRow], corpus: Sequence[CorpusSummary] = ()
    ) -> Summary:
        """Write every table and summary from the rows, then run.json and the checksums of all files.

        Args:
            info: with the counts and times of now.
            rows: in the test set's order.
            corpus: what was computed from the features of all rows.
        """
        metrics = aggregate(rows, info.specs)
        summary = Summary(
            team=info.team,
            protocol=f"{info.protocol.name} {info.protocol.version}",
            testset=info.testset.fingerprint,
            notice=info.protocol.notice,
            counts=info.counts,
            metrics=metrics,
            combined=summarise_combinations(info.protocol.combined, metrics, rows),
            corpus=tuple(corpus),
            identification=identifications(rows, self.features),
            intervals=INTERVAL_TITLE,
            caution=caution(len({row.identity for row in rows})),
        )
        samples = samples_table(rows, [spec.name for spec in info.specs], info.protocol.combined)
        write_parquet(samples, self.path / "samples.parquet")
        write_csv(samples, self.path / "samples.csv")
        write_parquet(frames_table(rows), self.path / "frames.parquet")
        write_csv(timings_table(rows), self.path / "timings.csv")
        write_text(self.path / "summary.json", json_escaped(summary.model_dump_json(indent=2)) + "\n")
        write_text(self.path / "summary.md", to_markdown(summary))
        write_text(self.path / "summary.tex", to_latex([summary]))
        self.write_info(info)
        write_checksums(self.path)
        return summary


def _place(folder: Path, identifier: str, ending: str) -> Path:
    """Where the file of an id lies; in folders of version 0.1 under the id itself, percent-encoded."""
    place, earlier = (
        folder / f"{name}{ending}" for name in (file_name(identifier), quote(identifier, safe=" "))
    )
    # Not Path.exists: it raises for names that are too long.
    return earlier if os.path.exists(earlier) and not place.exists() else place  # noqa: PTH110
