"""Making all videos of a run: every prompt, then every picture, then every video."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reference_generator.cache import cache_folder
from reference_generator.errors import RewriteFailed, SampleFailed
from reference_generator.job import Job, Shard, seed_of
from reference_generator.models import Found, find_models
from reference_generator.picture_stage import (
    DrawPicture,
    Similarity,
    best_picture,
    picture_notes,
    save_picture,
    saved_notes,
)
from reference_generator.pictures import read_picture
from reference_generator.plan import Plan, failed_record, made_record, make_plan, revision_of
from reference_generator.record import Record, record_path, records_folder, write_json, write_record
from reference_generator.rewriting.prompts import Texts, prepare_texts
from reference_generator.settings import Settings
from reference_generator.video_file import write_mp4

if TYPE_CHECKING:
    from reference_generator.rewriting.rewriter import TextRewriter
    from reference_generator.systems.system import Clip, VideoSystem

Stage = Literal["prompts", "pictures", "videos"]
_TINY_STAMP = "made by tiny random models; this is noise"
_PACKAGES = ("torch", "diffusers", "transformers", "av")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a stage is.

    Attributes:
        stage: what is being made.
        done: how many are through, failed ones included.
        total: of how many.
        failed: samples that failed so far, in all stages.
        seconds_left: of this stage, None before the first is through.
    """

    stage: Stage
    done: int
    total: int
    failed: int
    seconds_left: float | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run did.

    Attributes:
        made: records of the videos made now.
        finished_before: how many were there already.
        failed: records of the samples that failed.
    """

    made: tuple[Record, ...]
    finished_before: int
    failed: tuple[Record, ...]


@dataclass
class _Sample:
    """One sample on its way through the stages."""

    job: Job
    hash: str
    texts: Texts | None = None
    picture: Path | None = None
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)


LoadSystem = Callable[[Settings, dict[str, Found]], "VideoSystem"]
OnProgress = Callable[[Progress], object]


def generate(
    jobs: Sequence[Job],
    settings: Settings,
    out: Path,
    *,
    shard: Shard | None = None,
    overwrite: bool = False,
    similarity: Similarity | None = None,
    on_progress: OnProgress | None = None,
    load: LoadSystem | None = None,
) -> Outcome:
    """Make a video for every job that has none yet.

    Videos appear in `out` one by one, each in one step, with a record in `records_folder(out)`. A sample that
    fails is recorded and the run goes on; the next run tries it again.

    Args:
        jobs: all jobs, also where this process makes only a shard of them.
        settings: the system.
        out: the submission folder.
        shard: this process's part; all if left out.
        overwrite: make videos anew that are there with other settings.
        similarity: compares faces, for pictures made from a reference; without it the first picture is taken.
        on_progress: called after every sample of every stage.
        load: builds the video system.

    Raises:
        ModelsMissing: before anything is made.
        SettingsError: likewise.
        OutputInUse: likewise.
        RewriterUnusable: the language model cannot be used at all.
    """
    found = models_of(settings)
    plan = make_plan(
        jobs, settings, out, revision=revision_of(found), shard=shard or Shard(), overwrite=overwrite
    )
    run = _Run(settings, out, found, plan, on_progress)
    if plan.pending:
        write_json(records_folder(out) / "run.json", _description(settings, found))
        run.prompts()
        with _threads(settings):
            run.pictures(similarity)
            run.videos(load or load_system)
    return Outcome(made=tuple(run.made), finished_before=plan.finished, failed=tuple(run.failed))


def models_of(settings: Settings) -> dict[str, Found]:
    """Where the models lie, tiny ones being built now.

    Raises:
        ModelsMissing: some are missing; the message lists all with their sizes.
    """
    if not settings.tiny:
        return find_models(settings)
    from reference_generator.systems.loading import quiet
    from reference_generator.tiny.folder import tiny_model

    quiet()
    found = {"video": tiny_model(settings.model.architecture)}
    if settings.picture.use != "none":
        found["picture"] = tiny_model("tiny-picture")
    return found


def load_system(settings: Settings, found: dict[str, Found]) -> VideoSystem:
    """The video system of these settings, on its device."""
    from reference_generator.systems.loading import load_video_pipeline

    pipeline = load_video_pipeline(settings, found)
    if settings.system == "vace":
        from reference_generator.systems.vace import VaceSystem

        return VaceSystem(pipeline, settings)
    if settings.system == "phantom":
        from reference_generator.systems.phantom import PhantomSystem

        return PhantomSystem(pipeline, settings)
    from reference_generator.systems.decoupled import DecoupledSystem

    return DecoupledSystem(pipeline, settings)


class _Run:
    """The stages of one run."""

    def __init__(
        self,
        settings: Settings,
        out: Path,
        found: dict[str, Found],
        plan: Plan,
        on_progress: OnProgress | None,
    ) -> None:
        self._settings, self._out, self._found = settings, out, found
        self._on_progress = on_progress
        self._samples = [_Sample(job=job, hash=hash_) for job, hash_ in plan.pending]
        self.made: list[Record] = []
        self.failed: list[Record] = []
        for job, reason in plan.unusable:
            self._fail(job, None, "input", reason)

    def prompts(self) -> None:
        """Prepare every sample's texts."""
        rewriter = _rewriter(self._settings, self._found)

        def prepare(sample: _Sample) -> None:
            sample.texts = prepare_texts(sample.job, self._settings, rewriter)
            sample.notes += sample.texts.notes

        try:
            self._through("prompts", prepare)
        finally:
            if rewriter is not None:
                rewriter.close()

    def pictures(self, similarity: Similarity | None) -> None:
        """Make every sample's first frame or enhanced reference."""
        if self._settings.picture.use == "none" or not self._samples:
            return
        from reference_generator.picture_stage import PictureModel

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
                seed_of(self._settings.sampling.seed, job.id),
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
        system = load(self._settings, self._found)
        self._through("videos", lambda sample: self._video(sample, system))

    def _video(self, sample: _Sample, system: VideoSystem) -> None:
        from reference_generator.systems.system import Task

        assert sample.texts is not None
        seed = seed_of(self._settings.sampling.seed, sample.job.id)
        references = tuple(read_picture(path) for path in sample.job.references)
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
        begun = time.perf_counter()
        clip = system.make(task)
        sample.seconds["videos"] = time.perf_counter() - begun
        self._write(sample, clip)

    def _write(self, sample: _Sample, clip: Clip) -> None:
        """Write video and record: the record first, so that a video without one is nobody's."""
        from reference_generator.job import file_sha256

        video, settings = self._out / sample.job.video, self._settings
        place = record_path(self._out, sample.job)
        for folder in (video.parent, place.parent):
            folder.mkdir(parents=True, exist_ok=True)
        temporary = place.with_name(f".{place.stem}.{os.getpid()}.mp4")
        begun = time.perf_counter()
        try:
            write_mp4(
                temporary,
                clip.pictures,
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
                frames=len(clip.pictures),
                seconds={name: round(seconds, 3) for name, seconds in sample.seconds.items()},
                notes=(*sample.notes, *clip.notes),
            )
            write_record(place, record)
            temporary.replace(video)
        finally:
            temporary.unlink(missing_ok=True)
        self.made.append(record)

    def _through(self, stage: Stage, work: Callable[[_Sample], None]) -> None:
        """Do one stage's work on every sample; those that fail are recorded and left out from then on."""
        begun, total, kept = time.monotonic(), len(self._samples), []
        for number, sample in enumerate(self._samples, 1):
            with self._guarded(sample) as state, _timed(sample, stage):
                work(sample)
            if not state.failed:
                kept.append(sample)
            left = (time.monotonic() - begun) / number * (total - number)
            if self._on_progress is not None:
                self._on_progress(
                    Progress(
                        stage=stage, done=number, total=total, failed=len(self.failed), seconds_left=left
                    )
                )
        self._samples = kept

    @contextmanager
    def _guarded(self, sample: _Sample) -> Iterator[_State]:
        """Turn one sample's failure into a record. What concerns all samples is raised."""
        state = _State()
        try:
            yield state
        except RewriteFailed as error:
            state.failed = self._fail(sample.job, sample, "rewriter", str(error))
        except SampleFailed as error:
            state.failed = self._fail(sample.job, sample, "input", str(error))
        except Exception as error:
            from reference_generator.errors import GeneratorError

            if isinstance(error, GeneratorError):
                raise
            kind = "out-of-memory" if _is_out_of_memory(error) else "error"
            state.failed = self._fail(sample.job, sample, kind, f"{type(error).__name__}: {error}")
        if state.failed:
            free_memory()

    def _fail(self, job: Job, sample: _Sample | None, kind: str, reason: str) -> bool:
        record = failed_record(
            job,
            self._settings,
            hash_=sample.hash if sample else None,
            kind=kind,
            reason=reason,
            notes=sample.notes if sample else (),
        )
        self.failed.append(record)
        write_record(record_path(self._out, job), record)
        return True


@contextmanager
def _threads(settings: Settings) -> Iterator[None]:
    """One thread for tiny models: more wait for one another longer than they work."""
    if not settings.tiny:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass
class _State:
    failed: bool = False


@contextmanager
def _timed(sample: _Sample, stage: Stage) -> Iterator[None]:
    begun = time.perf_counter()
    yield
    sample.seconds.setdefault(stage, time.perf_counter() - begun)


def _rewriter(settings: Settings, found: dict[str, Found]) -> TextRewriter | None:
    prompt = settings.prompt
    if prompt.rewriter == "none":
        return None
    from reference_generator.rewriting.answer_cache import CachedRewriter

    rewriter: TextRewriter
    if prompt.rewriter == "endpoint":
        from reference_generator.rewriting.endpoint import EndpointRewriter

        rewriter = EndpointRewriter(prompt)
    else:
        from reference_generator.rewriting.local_model import LazyLocalRewriter

        rewriter = LazyLocalRewriter(found, settings)
    return CachedRewriter(rewriter, cache_folder() / "rewritten-prompts")


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


def _description(settings: Settings, found: dict[str, Found]) -> dict[str, object]:
    return {
        "settings": settings.as_dict(),
        "models": {name: place.revision for name, place in found.items()},
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions
