"""The stages of a run, each over all samples, so that one stage's models are gone before the next's come."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from ipvg_eval.reference_generator.failures import Failures, free_memory
from ipvg_eval.reference_generator.finished_video import FinishedVideo, write_finished
from ipvg_eval.reference_generator.job import Job, sample_seed
from ipvg_eval.reference_generator.made_video import LookAt, look_at
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.output_folder import output_errors
from ipvg_eval.reference_generator.overview import Overview
from ipvg_eval.reference_generator.picture_stage import (
    DrawPicture,
    Similarity,
    best_picture,
    picture_notes,
    save_picture,
    saved_notes,
)
from ipvg_eval.reference_generator.pictures import read_picture
from ipvg_eval.reference_generator.plan import Plan
from ipvg_eval.reference_generator.progress import OnProgress, Progress, Stage
from ipvg_eval.reference_generator.ranks import Ranks, loading_turn
from ipvg_eval.reference_generator.record import Record, record_path, records_folder
from ipvg_eval.reference_generator.rewriting.prompts import Texts, prepare_texts
from ipvg_eval.reference_generator.segmentation import wanted_label
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.system_loading import load_rewriter
from ipvg_eval.reference_generator.systems.orders import kept_file
from ipvg_eval.reference_generator.systems.registry import kind_of
from ipvg_eval.reference_generator.task import Clip, Desk, Task
from ipvg_eval.reference_generator.turns import in_turn

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.segmentation import Segmenter
    from ipvg_eval.reference_generator.task import System


@dataclass
class _Sample:
    """One sample on its way through the stages."""

    job: Job
    hash: str
    texts: Texts | None = None
    references: tuple[Path, ...] = ()
    picture: Path | None = None
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


LoadSystem = Callable[[Settings, dict[str, Found]], "System"]


class Stages:
    """The stages of one run.

    Attributes:
        made: records of the videos made so far.

    Where `stop` is set, the sample at hand is finished and no other is begun.
    """

    def __init__(
        self,
        settings: Settings,
        out: Path,
        found: dict[str, Found],
        plan: Plan,
        on_progress: OnProgress | None,
        look: LookAt = look_at,
        stop: threading.Event | None = None,
    ) -> None:
        self._look = look
        self._stop = stop or threading.Event()
        self._overview = Overview(out, f"{settings.name}: {settings.title}")
        self._settings, self._out, self._found = settings, out, found
        self._on_progress = on_progress
        self._samples = [
            _Sample(job=job, hash=hash_, references=job.references) for job, hash_ in plan.pending
        ]
        self.made: list[Record] = []
        self._failures = Failures(settings, out)
        for job, reason in plan.unusable:
            self._failures.add(job, "input", reason)

    @property
    def failed(self) -> list[Record]:
        """Records of the samples that failed so far."""
        return self._failures.records

    def prompts(self) -> None:
        """Prepare every sample's texts."""
        given = all(
            sample.job.given and (sample.job.given_picture or self._settings.picture.use == "none")
            for sample in self._samples
        )
        rewriter = None if given else load_rewriter(self._settings, self._found)

        def prepare(sample: _Sample) -> None:
            sample.texts = prepare_texts(sample.job, self._settings, rewriter)
            sample.notes += sample.texts.notes

        try:
            self._through("prompts", prepare)
        finally:
            if rewriter is not None:
                rewriter.close()

    def references(self) -> None:
        """Cut every sample's references out of their background, where that is wanted."""
        if not self._settings.references.segment or not self._samples:
            return
        from ipvg_eval.reference_generator.segmentation import Segmenter

        segmenter = Segmenter(self._found["segmenter"].path, self._settings)
        try:
            self._through("references", lambda sample: self._cut_out(sample, segmenter))
        finally:
            segmenter.close()
            free_memory()

    def _cut_out(self, sample: _Sample, segmenter: Segmenter) -> None:
        """Segment one sample's references, or take those that an interrupted run has left."""
        labels, files = sample.job.labels, []
        for number, file in enumerate(sample.job.references):
            path = record_path(self._out, sample.job).with_suffix(f".{sample.hash[:12]}.{number}.png")
            if not path.exists():
                label = wanted_label(labels[number] if number < len(labels) else None)
                picture = read_picture(file)
                made = segmenter.cut_out(picture, label)
                notes = () if made else (f"no {label} was found in {file.name}, which is used as it is",)
                save_picture(path, made or picture, notes)
            files.append(path)
            sample.notes += saved_notes(path)
        sample.references = tuple(files)

    def pictures(self, similarity: Similarity | None) -> None:
        """Make every sample's first frame or enhanced reference."""
        if self._settings.picture.use == "none" or not self._samples:
            return
        from ipvg_eval.reference_generator.picture_stage import PictureModel

        model = PictureModel(self._found["picture"].path, self._settings)
        try:
            self._through("pictures", lambda sample: self._picture(sample, model.draw, similarity))
        finally:
            model.close()
            free_memory()

    def _picture(self, sample: _Sample, draw: DrawPicture, similarity: Similarity | None) -> None:
        """Make one picture, or take the one that an interrupted run has left."""
        wanted, job = self._settings.picture, sample.job
        path = record_path(self._out, job).with_suffix(f".{sample.hash[:12]}.png")
        if not path.exists():
            assert sample.texts is not None
            assert sample.texts.picture is not None
            reference = read_picture(job.references[0])
            made = best_picture(
                reference,
                sample.texts.picture,
                sample_seed(self._settings, job.id),
                draw=draw,
                similarity=similarity or (lambda *_: 1.0),
                attempts=wanted.attempts if similarity else 1,
                threshold=wanted.min_similarity,
            )
            notes = picture_notes(made, wanted.min_similarity, compared=similarity is not None)
            save_picture(path, made.picture or reference, notes)
        sample.picture = path
        sample.notes += saved_notes(path)

    def videos(self, load: LoadSystem) -> None:
        """Make and write every video."""
        if not self._samples:
            return
        alone = Ranks.from_environment().count == 1
        with nullcontext() if alone else loading_turn("weights"):
            system = load(self._settings, self._found)
        try:
            system.begin([(sample.job, sample.hash) for sample in self._samples], records_folder(self._out))
            self._through("videos", lambda sample: self._video(sample, system), at_once=system)
        finally:
            system.close()

    def finish(self) -> None:
        """Write the page about the run as it stays."""
        if records_folder(self._out).is_dir():
            with suppress(OSError):  # no run ends otherwise for its sake
                self._overview.finish()

    def _video(self, sample: _Sample, system: System) -> None:
        assert sample.texts is not None
        seed = sample_seed(self._settings, sample.job.id)
        most = kind_of(self._settings.system).most_references(self._settings)
        count, files = len(sample.references), sample.references[:most]
        if len(files) < count:
            sample.notes += (f"{len(files)} of {count} references are used, the system's most",)
        references = tuple(read_picture(path) for path in files)
        picture = read_picture(sample.picture) if sample.picture is not None else None
        if picture is not None and self._settings.picture.use == "reference":
            references = (picture, *references[1:])
        first = picture if self._settings.picture.use == "first_frame" else None
        task = Task(
            seed=seed,
            texts=sample.texts.video,
            events=sample.texts.events,
            references=references,
            first_frame=first,
        )
        with self._desk(sample) if system.wants_desk else nullcontext() as desk:
            begun = time.perf_counter()
            made = system.make(replace(task, desk=desk))
            sample.seconds["videos"] = time.perf_counter() - begun
            with output_errors(self._out):
                self._finished(sample, made, references)

    def _finished(self, sample: _Sample, made: Clip | Path, references: Sequence[Image.Image]) -> None:
        assert sample.texts is not None
        finished = FinishedVideo(
            job=sample.job,
            hash=sample.hash,
            prompts=sample.texts.video,
            references=references,
            revisions={name: place.revision for name, place in self._found.items()},
            seconds=sample.seconds,
            notes=sample.notes,
        )
        self.made.append(write_finished(finished, made, self._settings, self._out, self._look))

    @contextmanager
    def _desk(self, sample: _Sample) -> Iterator[Desk]:
        record = record_path(self._out, sample.job)
        files = sample.references
        if sample.picture is not None:
            files = (sample.picture, *files[1:])
        with output_errors(self._out):
            record.parent.mkdir(parents=True, exist_ok=True)
            scratch = tempfile.TemporaryDirectory(
                prefix=f".{record.stem}.", dir=record.parent, ignore_cleanup_errors=True
            )
        with scratch as folder:
            yield Desk(
                id=sample.job.id,
                hash=sample.hash,
                files=files,
                scratch=Path(folder),
                kept=kept_file(record),
            )

    def _through(
        self, stage: Stage, work: Callable[[_Sample], None], *, at_once: System | None = None
    ) -> None:
        """Do one stage's work on every sample; those that fail are recorded and left out from then on.

        Args:
            stage: its name.
            work: what to do.
            at_once: a system that may work on several samples at the same time.
        """
        begun, total, kept, through = time.monotonic(), len(self._samples), [], 0
        self._failures.begin_stage()

        def tell(step: tuple[int, int] | None = None) -> None:
            if self._on_progress is None:
                return
            now = Progress(
                stage=stage, done=through, total=total, failed=len(self.failed), seconds_left=None, step=step
            )
            left = (time.monotonic() - begun) / now.through * (total - now.through)
            self._on_progress(replace(now, seconds_left=left))

        if at_once is not None:
            at_once.on_step = lambda done, of: tell((done, of))
        with closing(in_turn(self._samples, work, at_once, self._stop)) as turns:
            for sample, outcome in turns:
                with self._failures.guarded(sample) as state, _timed(sample, stage):
                    outcome()
                if not state.failed:
                    kept.append(sample)
                if stage == "videos" or state.failed:
                    with output_errors(self._out):
                        self._overview.changed()
                through += 1
                tell()
        self._samples = [] if self._stop.is_set() else kept


@contextmanager
def _timed(sample: _Sample, stage: Stage) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    sample.seconds.setdefault(stage, time.perf_counter() - begun)
