"""From a sample's prompt to the texts that the models get."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ipvg_eval.core.timeline import Event
from ipvg_eval.reference_generator.errors import SampleFailed
from ipvg_eval.reference_generator.job import Job
from ipvg_eval.reference_generator.rewriting import rewriter as instructions
from ipvg_eval.reference_generator.rewriting.rewriter import Request, TextRewriter
from ipvg_eval.reference_generator.rewriting.verbatim import inserted_text
from ipvg_eval.reference_generator.schedule import readable_timeline
from ipvg_eval.reference_generator.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What the models are told about one sample.

    Attributes:
        video: one prompt for the video model, or one per event.
        events: the timeline's events; empty where one prompt serves.
        picture: prompt for the picture model, None where it is not used.
        notes: what a reader must know.
    """

    video: tuple[str, ...]
    events: tuple[Event, ...] = ()
    picture: str | None = None
    notes: tuple[str, ...] = ()


def prepare_texts(job: Job, settings: Settings, rewriter: TextRewriter | None) -> Texts:
    """The texts of one sample.

    Args:
        job: the sample.
        settings: the system.
        rewriter: a language model; None leaves every prompt as it is.

    Raises:
        SampleFailed: the prompt is empty, or the timeline cannot be read.
        RewriteFailed: the language model gave no answer.
        RewriterUnusable: the language model cannot be used at all.
    """
    if not job.prompt.strip():
        raise SampleFailed("the prompt is empty")
    events, unsound = _events(job, settings)
    video, notes = [], [*unsound]
    texts = _event_texts(job, events)
    if job.given and len(job.given) != len(texts):
        raise SampleFailed(f"{len(job.given)} prompts are given for {len(texts)} events")
    for index, text in enumerate(texts):
        if job.given:
            rewritten: str = job.given[index]
            note = _given_note(text, rewritten, settings)
        else:
            rewritten, note = _rewritten(text, job, settings, rewriter)
        video.append(rewritten)
        notes += [note] if note and note not in notes else []
    return Texts(
        video=tuple(video),
        events=events if len(video) > 1 else (),
        picture=_picture_text(job, settings, rewriter, video[0]),
        notes=tuple(notes),
    )


def _events(job: Job, settings: Settings) -> tuple[tuple[Event, ...], list[str]]:
    """The events to prompt with, and what is wrong with those left out."""
    if job.timeline is None or settings.timeline.mode == "global":
        return (), []
    timeline = readable_timeline(job.timeline)
    return timeline.events, [one.message for one in timeline.problems if one.severity == "error"]


def _event_texts(job: Job, events: tuple[Event, ...]) -> list[str]:
    """One text per event, after the caption of the whole video where there is one beside the timeline."""
    if not events:
        return [job.prompt]
    whole = "" if job.timeline is None or job.prompt.strip() == job.timeline.strip() else job.prompt.strip()
    if not whole:
        return [event.description for event in events]
    joint = "" if whole.endswith((".", "!", "?", "。")) else "."
    return [f"{whole}{joint} {event.description}" for event in events]


def _rewritten(
    text: str, job: Job, settings: Settings, rewriter: TextRewriter | None
) -> tuple[str, str | None]:
    if rewriter is None:
        return text, None
    if settings.prompt.task == "video":
        return _ask(rewriter, instructions.VIDEO, text, job, settings), None
    note = None
    for instruction, picture in _subjects(job):
        answer = _ask(rewriter, instruction, text, job, settings, picture)
        insertion = inserted_text(text, answer)
        if insertion:
            text = answer
        elif insertion is None:
            note = "the language model changed the caption itself; the original is used"
        else:
            note = "the language model added nothing to the caption"
    return text, note


def _subjects(job: Job) -> list[tuple[str, int]]:
    """What to ask with which picture: the only person's face, or every labelled subject."""
    first: dict[str, int] = {}
    for index, label in enumerate(job.labels):
        if label:
            first.setdefault(label, index)
    if len(first) < 2:
        return [(instructions.FACE, 0)]
    return [(instructions.SUBJECT.format(label=label), index) for label, index in first.items()]


def _given_note(text: str, given: str, settings: Settings) -> str | None:
    changed = settings.prompt.task == "face" and inserted_text(text, given) is None
    return "the given prompt is not the caption with one insertion" if changed else None


def _picture_text(job: Job, settings: Settings, rewriter: TextRewriter | None, video: str) -> str | None:
    if settings.picture.use == "none":
        return None
    if job.given_picture is not None:
        return job.given_picture
    text = video if settings.picture.prompt_from == "video" else job.prompt
    if rewriter is None:
        return text
    first = settings.picture.use == "first_frame"
    return _ask(rewriter, instructions.FIRST_FRAME if first else instructions.REFERENCE, text, job, settings)


def _ask(
    rewriter: TextRewriter, instruction: str, text: str, job: Job, settings: Settings, reference: int = 0
) -> str:
    shown = settings.prompt.send_picture and job.references
    picture: Path | None = job.references[reference] if shown else None
    return rewriter.rewrite(Request(instruction=instruction, text=text, picture=picture))
