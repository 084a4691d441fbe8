"""The stages of a run, each over all samples, so that one stage's models are gone before the next's come."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from ipvg_eval.reference_generator.errors import (
    GeneratorError,
    RewriteFailed,
    SameFailureAgain,
    SampleFailed,
    SystemFailed,
)
from ipvg_eval.reference_generator.estimate import memory_advice
from ipvg_eval.reference_generator.job import Job, file_sha256, sample_seed
from ipvg_eval.reference_generator.made_video import LookAt, check_clip, check_made, look_at, take
from ipvg_eval.reference_generator.models import Found
from ipvg_eval.reference_generator.output_folder import output_errors
from ipvg_eval.reference_generator.overview import Overview, save_strip, stills_of, strip_path
from ipvg_eval.reference_generator.picture_stage import (
    DrawPicture,
    Similarity,
    best_picture,
    picture_notes,
    save_picture,
    saved_notes,
)
from ipvg_eval.reference_generator.pictures import read_picture
from ipvg_eval.reference_generator.plan import Plan, failed_record, made_record
from ipvg_eval.reference_generator.ranks import Ranks, loading_turn
from ipvg_eval.reference_generator.record import Record, record_path, records_folder, write_record
from ipvg_eval.reference_generator.redaction import redacted
from ipvg_eval.reference_generator.rewriting.prompts import Texts, prepare_texts
from ipvg_eval.reference_generator.segmentation import wanted_label
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.system_loading import load_rewriter
from ipvg_eval.reference_generator.systems.orders import kept_file
from ipvg_eval.reference_generator.systems.registry import kind_of
from ipvg_eval.reference_generator.task import Clip, Desk, Task
from ipvg_eval.reference_generator.turns import in_turn
from ipvg_eval.reference_generator.video_file import write_mp4

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.segmentation import Segmenter
    from ipvg_eval.reference_generator.task import System

Stage = Literal["prompts", "references", "pictures", "videos"]
_ENOUGH = 3
_TINY_STAMP = "made by tiny random models; this is noise"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is.

    Attributes:
        stage: what is being made.
        done: how many are through, failed ones included.
        total: of how many.
        failed: samples that failed so far, in all stages.
        seconds_left: of this stage, None before the first step is through.
        step: steps of the sample at hand that are done, and how many it has; None between samples.
    """

    stage: Stage
    done: int
    total: int
    failed: int
    seconds_left: float | None
    step: tuple[int, int] | None = None

    @property
    def through(self) -> float:
        """Samples that are through, the one at hand by its share."""
        return self.done + (self.step[0] / self.step[1] if self.step else 0.0)


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
OnProgress = Callable[[Progress], object]


class Stages:
    """The stages of one run.

    Attributes:
        made: records of the videos made so far.
        failed: records of the samples that failed so far.

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
        self.failed: list[Record] = []
        self._alike: list[str] = []
        for job, reason in plan.unusable:
            self._fail(job, None, "input", reason)

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
            with output_errors(self._out):
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
                self._write(sample, made, references)

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

    def _write(self, sample: _Sample, made: Clip | Path, references: Sequence[Image.Image]) -> None:
        """Write video and record: the record first, so that a video without one is nobody's."""
        video, settings = self._out / sample.job.video, self._settings
        place = record_path(self._out, sample.job)
        for folder in (video.parent, place.parent):
            folder.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.stem}.{os.getpid()}.mp4")
        begun = time.perf_counter()
        try:
            if isinstance(made, Path):
                take(made, temporary)
                found, notes = check_made(temporary, settings.video, self._look)
                frames, stills = found.frames, found.stills
            else:
                check_clip(made, settings.video)
                frames, notes, stills = len(made.pictures), made.notes, stills_of(made.pictures)
                write_mp4(
                    temporary,
                    made.pictures,
                    fps=settings.video.fps,
                    crf=settings.video.crf,
                    comment=_TINY_STAMP if settings.tiny else None,
                )
            sample.seconds["writing"] = time.perf_counter() - begun
            assert sample.texts is not None
            record = made_record(
                sample.job,
                settings,
                hash=sample.hash,
                video_sha256=file_sha256(temporary),
                prompts=sample.texts.video,
                revisions={name: place.revision for name, place in self._found.items()},
                frames=frames,
                seconds={name: round(seconds, 3) for name, seconds in sample.seconds.items()},
                notes=(*sample.notes, *notes),
            )
            save_strip(place, references, stills)
            write_record(place, record)
            temporary.replace(video)
        finally:
            temporary.unlink(missing_ok=True)
        self.made.append(record)

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
        self._alike = []

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
                with self._guarded(sample) as state, _timed(sample, stage):
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
    def _guarded(self, sample: _Sample) -> Iterator[_State]:
        """Turn one sample's failure into a record. What concerns all samples is raised."""
        state = _State()
        try:
            yield state
            self._alike = []
        except RewriteFailed as error:
            state.failed = self._fail(sample.job, sample, "rewriter", str(error))
        except SystemFailed as error:
            state.failed = self._fail(sample.job, sample, "system", str(error))
        except SampleFailed as error:
            state.failed = self._fail(sample.job, sample, "input", str(error))
        except Exception as error:
            if isinstance(error, GeneratorError):
                raise
            kind = "out-of-memory" if _is_out_of_memory(error) else "error"
            state.failed = self._fail(sample.job, sample, kind, f"{type(error).__name__}: {error}")
        if state.failed:
            free_memory()

    def _fail(self, job: Job, sample: _Sample | None, kind: str, reason: str) -> bool:
        reason = redacted(reason)
        record = failed_record(
            job,
            self._settings,
            hash_=sample.hash if sample else None,
            kind=kind,
            reason=reason,
            notes=sample.notes if sample else (),
        )
        self.failed.append(record)
        with output_errors(self._out):
            strip_path(record_path(self._out, job)).unlink(missing_ok=True)
            write_record(record_path(self._out, job), record)
        self._stop_if_alike(kind, reason)
        return True

    def _stop_if_alike(self, kind: str, reason: str) -> None:
        """End the run where it is the system that fails. A sample's own input says nothing of the others."""
        if kind == "input":
            self._alike = []
            return
        failure = re.sub(r"\d+", "#", f"{kind} {reason}")
        self._alike = [*self._alike, failure] if failure in self._alike[-1:] else [failure]
        if len(self._alike) == _ENOUGH:
            raise SameFailureAgain(
                f"{_ENOUGH} samples in a row failed alike, so the run stops: {reason}",
                hint=memory_advice(self._settings)
                if kind == "out-of-memory"
                else "Mend the cause and run the same command again: it goes on from here.",
            )


@dataclass
class _State:
    failed: bool = False


@contextmanager
def _timed(sample: _Sample, stage: Stage) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    sample.seconds.setdefault(stage, time.perf_counter() - begun)


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    return isinstance(error, (MemoryError, torch.OutOfMemoryError))


def free_memory() -> None:
    """Give the device's unused memory back."""
    import gc
    import sys

    gc.collect()
    if "torch" in sys.modules:
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()
