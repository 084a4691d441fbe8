"""A worker: one process with its own networks and its own decoder processes."""

from __future__ import annotations

import hashlib
import os
import platform
import queue
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ipvg_eval.cluster.networks import NetworkThread
from ipvg_eval.core.errors import IpvgError, Unavailable
from ipvg_eval.core.row import SampleRow
from ipvg_eval.decoding import DecoderProcess
from ipvg_eval.sandbox import ProcessLimits
from ipvg_eval.scoring.one_video import Measured
from ipvg_eval.scoring.prefetch import Channel, prefetch
from ipvg_eval.scoring.prepare import Item, Preparation
from ipvg_eval.scoring.recipe import Recipe
from ipvg_eval.scoring.scorer import Scorer
from ipvg_eval.scoring.scorer_info import ScorerInfo
from ipvg_eval.submission import Submission, load_submission
from ipvg_eval.testset import load_testset
from ipvg_eval.testset.model import Sample

_CROSSING_WINDOW = 8  # some 16 frames each

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Job:
    """The submission that is scored next.

    Attributes:
        submission: path or URL that every worker opens by itself.
        listing: hash of what it holds as the driver sees it, see `listing_hash`.
        testset: the test set's folder, which every worker sees too.
        fingerprint: of the test set as the driver sees it.
        limits: of each decoder process.
        decoders: how many videos a worker decodes at a time.
    """

    submission: str
    listing: str
    testset: Path
    fingerprint: str
    limits: ProcessLimits
    decoders: int


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A worker can measure.

    Attributes:
        node: the machine it runs on.
        info: what a run records of it.
        window: how many samples its networks have begun at a time, beside those that are being decoded.
    """

    node: str
    info: ScorerInfo
    window: int


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An error with an explanation, as data: some exceptions do not survive being sent.

    Attributes:
        node: the machine it happened on.
        text: what happened.
        hint: what to do next.
        exit_code: what the command exits with.
    """

    node: str
    text: str
    hint: str | None
    exit_code: int


def listing_hash(submission: Submission) -> str:
    """A hash over the paths and sizes of a submission's files."""
    lines = (f"{name}\0{size}\n" for name, size in sorted(submission.files.items()))
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


class MeasuringWorker:
    """Builds a scorer once and measures one sample per call; several calls may run at a time.

    Videos of later calls are decoded while the networks are busy with an earlier one. The networks only
    ever run in one thread, in the order of the calls.

    Args:
        recipe: what to build the scorer from.
        directory: the driver's working directory, which relative paths are meant from.
    """

    def __init__(self, recipe: Recipe, directory: str) -> None:
        self._recipe = recipe
        self._networks = NetworkThread()
        self._idle: queue.SimpleQueue[DecoderProcess] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self._built: Scorer | None = None
        self._scorer: Scorer | None = None
        self._submission: Submission | None = None
        self._job: Job | None = None
        if Path(directory).is_dir():
            os.chdir(directory)

    def hello(self) -> None:
        """Nothing but a sign of life."""

    def build(self) -> Ready | Refused:
        """Load the networks."""
        return self._networks.call(lambda: _explained(self._build))

    def open(self, job: Job) -> Ready | Refused:
        """Load the networks and open a submission, as far as that is not done yet."""
        return self._networks.call(lambda: _explained(lambda: self._open(job)))

    def measure(self, sample: Sample, earlier: SampleRow | None) -> Measured | Refused | None:
        """Measure a sample of the submission that was opened last; None if its row is up to date."""
        return _explained(lambda: self._measure(sample, earlier))

    def close(self) -> None:
        """End the decoder processes that are idle; another submission may be opened."""
        while not self._idle.empty():
            self._idle.get().close()
        self._job = None

    def _build(self) -> Ready:
        if self._built is None:
            self._built = self._recipe.build()
            self._networks.window = _CROSSING_WINDOW if self._built.runtime.crossing else 1
        with DecoderProcess() as decoder:
            info = replace(self._built.info, confinement=decoder.hello().confinement)
        return Ready(node=platform.node(), info=info, window=self._networks.window)

    def _open(self, job: Job) -> Ready:
        ready = self._build()
        assert self._built is not None
        if job == self._job:
            return ready
        testset = load_testset(job.testset)
        if testset.fingerprint != job.fingerprint:
            raise _differs("test set", job.testset)
        submission = load_submission(job.submission)
        if listing_hash(submission) != job.listing:
            raise _differs("submission", submission.location)
        self._scorer, self._submission = self._built.suited_to(testset), submission
        self.close()
        decoders = [DecoderProcess(job.limits) for _ in range(job.decoders)]
        decoders[0].hello()  # a node that cannot open videos, or not as asked, takes no part
        for decoder in decoders:
            self._idle.put(decoder)
        self._job = job
        return ready

    def _measure(self, sample: Sample, earlier: SampleRow | None) -> Measured | None:
        assert self._scorer is not None
        assert self._submission is not None
        rows = {} if earlier is None else {sample.id: earlier}
        preparation = Preparation(submission=self._submission, scorer=self._scorer, rows=rows)

        def produce(work: Sample, channel: Channel[Item], decoder: DecoderProcess) -> None:
            try:
                preparation.produce(work, channel, decoder)
            finally:
                self._idle.put(decoder)

        # Whoever has a decoder must not wait for networks behind somebody who waits for a decoder.
        with self._turn:
            decoder = self._idle.get()
            before = decoder.waited
            turns = prefetch([sample], produce, [decoder], cancel=DecoderProcess.kill)
            _, channel = next(turns)
            measured = self._networks.submit(lambda: preparation.watch(sample, channel))
        with closing(turns):
            done = measured.result()
            return None if done is None else replace(done, waited=decoder.waited - before)


def _explained(action: Callable[[], T]) -> T | Refused:
    try:
        return action()
    except IpvgError as error:
        return Refused(node=platform.node(), text=str(error), hint=error.hint, exit_code=error.exit_code)


def _differs(what: str, where: Path | str) -> Unavailable:
    return Unavailable(
        f"{where}: the {what} differs from the one that the command was started with",
        hint="Every node must see the same files under the same path: use a shared folder, or a URL.",
    )
