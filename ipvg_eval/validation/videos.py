"""Opening every video, several at a time, in limited processes."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path

from ipvg_eval.core.budget import Budget, Spending
from ipvg_eval.core.printable import printable
from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits, open_file
from ipvg_eval.submission import Kind, MemberError, Submission
from ipvg_eval.validation.header_rules import ENCODE, About
from ipvg_eval.validation.messages import Check, Checked, Drive, Driven, Task
from ipvg_eval.validation.rules import VideoRules

Progress = Callable[[int, int], None]
_MAX_PROCESSES = 8


def check_videos(
    submission: Submission,
    sample_of: Mapping[str, str],
    *,
    rules: VideoRules,
    deep: bool,
    progress: Progress | None,
    timelines: Mapping[str, str] | None = None,
    driving: Mapping[str, Path] | None = None,
    limits: ProcessLimits | None = None,
    budget: Budget | None = None,
) -> list[Finding]:
    """What is wrong inside the videos, in their order.

    Args:
        submission: where they are.
        sample_of: id of the sample by the path of each video to open.
        rules: bounds.
        deep: decode every frame, and compare packed members with their checksums.
        progress: told (done, total) from this thread.
        timelines: what should happen in a sample's video, by sample id.
        driving: the sound that a sample's video is to be driven with, likewise.
        limits: of each process that opens videos.
        budget: seconds and bytes for all videos together.
    """
    if not sample_of:
        return []
    found: dict[str, list[Finding]] = {}
    total = len(sample_of)
    count = min(_MAX_PROCESSES, os.cpu_count() or 1, total)
    task = Task(rules=rules, deep=deep)
    spending = Spending(budget or Budget(), {name: submission.files[name] for name in sample_of})
    idle: queue.SimpleQueue[CheckingProcess] = queue.SimpleQueue()

    def check(name: str, sample: str) -> list[Finding]:
        about = About(path=printable(name), sample=sample)
        if submission.files[name] == 0:
            return [about.error("video-empty", "The file is empty.", "Export or copy the video again.")]
        if (reason := spending.refusal(name)) is not None:
            action = "Export smaller videos that open faster, or raise --budget."
            return [about.error("budget-used-up", f"It was not opened: {reason}.", action)]
        request = Check(name=name, sample=sample, timeline=(timelines or {}).get(sample))
        process = idle.get()
        before = process.waited
        try:
            if (sound := (driving or {}).get(sample)) is not None:
                request = request.model_copy(update={"driven": process.drive(sound)})
            with _handed_over(submission, name, checked=deep) as (file, part):
                return process.check(request.model_copy(update={"part": part}), file)
        except MemberError as error:
            return [about.error(error.code, f"The file {error.message}.", error.hint or ENCODE)]
        finally:
            spending.spend(seconds=process.waited - before)
            idle.put(process)

    with ExitStack() as stack:
        for _ in range(count):
            idle.put(stack.enter_context(CheckingProcess(task, limits)))
        pool = stack.enter_context(ThreadPoolExecutor(count))
        # After an interruption nothing that has not begun yet is begun.
        stack.callback(pool.shutdown, cancel_futures=True)
        jobs = {pool.submit(check, name, sample): name for name, sample in sample_of.items()}
        for done, job in enumerate(as_completed(jobs), start=1):
            found[jobs[job]] = job.result()
            if progress is not None:
                progress(done, total)
    return [finding for name in sample_of for finding in found[name]]


@contextmanager
def _handed_over(
    submission: Submission, name: str, *, checked: bool
) -> Iterator[tuple[FileIO, tuple[int, int] | None]]:
    """A video's file, and which part of it the video is; opened here, as the process reaches no file.

    Args:
        submission: where it is.
        name: its path there.
        checked: unpack and compare with its checksum what lies in a zip.
    """
    place = submission.place(name)
    if place is None or (checked and submission.kind is Kind.ZIP):
        with submission.open_video(name) as copy, open_file(copy) as file:
            yield file, None
        return
    try:
        file = open_file(place.path)
    except VideoError as error:
        hint = error.hint or ENCODE
        raise MemberError(error.message, code="file-unreadable", path=place.path, hint=hint) from error
    with file:
        yield file, None if submission.kind is Kind.FOLDER else (place.offset, place.size)


class CheckingProcess(LimitedProcess[Checked | Driven]):
    """Looks at the videos of one submission, one after the other, in a process with limits."""

    def __init__(self, task: Task, limits: ProcessLimits | None = None) -> None:
        super().__init__("ipvg_eval.validation.worker", Checked | Driven, limits, task)

    def drive(self, sound: Path) -> bool:
        """Have it listen to a driving sound; whether it could: what is wrong with it is no video's fault."""
        try:
            self.ask_about(sound, Drive())
            answer = self.answer()
        except VideoError:
            return False
        if not isinstance(answer, Driven):
            raise self.refuse("an answer out of turn")
        return answer.problem is None

    def check(self, request: Check, file: FileIO) -> list[Finding]:
        """What is wrong with a video; that the process failed on it is a finding too."""
        try:
            self.ask(request, file)
            answer = self.answer()
            if not isinstance(answer, Checked):
                raise self.refuse("an answer out of turn")
            return list(answer.findings)
        except VideoError as error:
            about = About(path=printable(request.name), sample=request.sample)
            return [
                about.error("video-unreadable", f"Reading it failed: {error.message}.", error.hint or ENCODE)
            ]
