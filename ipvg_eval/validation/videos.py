"""Opening every video, several at a time, in limited processes."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack

from ipvg_eval.core.printable import printable
from ipvg_eval.errors import VideoError
from ipvg_eval.findings import Finding
from ipvg_eval.sandbox import LimitedProcess, ProcessLimits
from ipvg_eval.submission import MemberError, Submission
from ipvg_eval.validation.header_rules import ENCODE, About
from ipvg_eval.validation.messages import Check, Checked, Task
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
    limits: ProcessLimits | None = None,
) -> list[Finding]:
    """What is wrong inside the videos, in their order.

    Args:
        submission: where they are.
        sample_of: id of the sample by the path of each video to open.
        rules: bounds.
        deep: decode every frame, and compare packed members with their checksums.
        progress: told (done, total) from this thread.
        timelines: what should happen in a sample's video, by sample id.
        limits: of each process that opens videos.
    """
    if not sample_of:
        return []
    found: dict[str, list[Finding]] = {}
    total = len(sample_of)
    count = min(_MAX_PROCESSES, os.cpu_count() or 1, total)
    path = str(submission.path.absolute()) if submission.local else None
    task = Task(submission=path, limits=submission.limits, rules=rules, deep=deep)
    idle: queue.SimpleQueue[CheckingProcess] = queue.SimpleQueue()

    def check(name: str, sample: str) -> list[Finding]:
        request = Check(name=name, sample=sample, timeline=(timelines or {}).get(sample))
        process = idle.get()
        try:
            if submission.local:
                return process.check(request)
            with submission.open_video(name) as copy:  # a limited process has no business on the network
                return process.check(request.model_copy(update={"copy_at": str(copy)}))
        except MemberError as error:
            about = About(path=printable(name), sample=sample)
            return [about.error(error.code, f"The file {error.message}.", error.hint or ENCODE)]
        finally:
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


class CheckingProcess(LimitedProcess[Checked]):
    """Looks at the videos of one submission, one after the other, in a process with limits."""

    def __init__(self, task: Task, limits: ProcessLimits | None = None) -> None:
        super().__init__("ipvg_eval.validation.worker", Checked, limits, task)

    def check(self, request: Check) -> list[Finding]:
        """What is wrong with a video; that the process failed on it is a finding too."""
        try:
            self.ask(request)
            return list(self.answer().findings)
        except VideoError as error:
            about = About(path=printable(request.name), sample=request.sample)
            return [
                about.error("video-unreadable", f"Reading it failed: {error.message}.", error.hint or ENCODE)
            ]
