"""One item of an eval.json: its keys checked, its pictures found."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from ipvg_eval.core.file_names import as_stored
from ipvg_eval.core.timeline import parse_timeline
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.metrics.target import Reference
from ipvg_eval.testset.model import Sample
from ipvg_eval.testset.prompts import clean_text, empty_prompt
from ipvg_eval.testset.timelines import timeline_findings

Item = Mapping[str, object]


class ItemReader:
    """Reads one item and collects what is wrong with it.

    Attributes:
        findings: what was found so far. An item with a finding of severity error is no sample, unless the
            finding is about its timeline alone.
    """

    def __init__(self, *, file: Path, number: int) -> None:
        self._file = file
        self._number = number
        self.findings: list[Finding] = []

    def facial(self, item: Item) -> Sample | None:
        """A Track 1 item (`img`, `prompt`), or None with findings."""
        prompt = self._text(item, "prompt")
        img = self._text(item, "img")
        picture = self._picture(img, "img") if img is not None else None
        if prompt is None or picture is None:
            return None
        relative, path = picture
        return self._sample(
            identity=_without_suffix(relative),
            references=(Reference(path=path),),
            prompt=prompt,
            timeline=None,
        )

    def sequential(self, item: Item) -> Sample | None:
        """A Track 2 item, or None with findings."""
        prompt = self._text(item, "global_prompt")
        timeline = self._timeline(item)
        names = self._texts(item, "img_paths")
        labels = self._texts(item, "class_label")
        if names is None or labels is None or not self._labels_fit(labels, names):
            return None
        pictures = [self._picture(name, f"img_paths[{k}]") for k, name in enumerate(names)]
        found = [picture for picture in pictures if picture is not None]
        if prompt is None or timeline is None or len(found) < len(names):
            return None
        # One label for several pictures means several pictures of one subject.
        per_picture = labels * len(names) if len(labels) == 1 else [*labels, *[None] * len(names)]
        subject = 0 if len(labels) == 1 < len(names) else None
        references = tuple(
            Reference(path=path, label=label, subject=subject)
            for (_, path), label in zip(found, per_picture, strict=False)
        )
        identity = "+".join(_without_suffix(relative) for relative, _ in found)
        return self._sample(identity=identity, references=references, prompt=prompt, timeline=timeline)

    def _sample(
        self, *, identity: str, references: tuple[Reference, ...], prompt: str, timeline: str | None
    ) -> Sample:
        name = str(self._number)
        return Sample(
            id=name,
            identity=identity,
            references=references,
            prompt=prompt,
            timeline=timeline,
            video=f"{name}.mp4",
        )

    def _text(self, item: Item, key: str) -> str | None:
        value = self._value(item, key)
        if value is None:
            return None
        text = self._checked_text(value, key)
        if text == "":
            self.findings.append(
                empty_prompt(f"{self._file.name}: item {self._number}, {key}", str(self._number))
                if "prompt" in key
                else self._finding("item-value", f"{key} is empty", f"Give {key} a value")
            )
            return None
        return text

    def _texts(self, item: Item, key: str) -> list[str] | None:
        value = self._value(item, key)
        if value is None:
            return None
        if not isinstance(value, list):
            self._wrong_type(key, "a list of strings", value)
            return None
        texts = [self._checked_text(entry, f"{key}[{k}]") for k, entry in enumerate(value)]
        return None if None in texts else [text for text in texts if text is not None]

    def _timeline(self, item: Item) -> str | None:
        key = "temporal_captions"
        value = self._value(item, key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(event, dict) for event in value):
            self._wrong_type(key, "a list of {start, end, description}", value)
            return None
        text = self._checked_text(json.dumps(value, ensure_ascii=False), key)
        if text is not None:
            self.findings.extend(
                timeline_findings(
                    parse_timeline(value),
                    shown=self._file.name,
                    sample=str(self._number),
                    where=f"Item {self._number}, {key}: ",
                )
            )
        return text

    def _labels_fit(self, labels: list[str], names: list[str]) -> bool:
        if len(labels) > len(names):
            self._add(
                "labels-without-images",
                f"class_label names {len(labels)} subjects, img_paths only {len(names)} pictures",
                "Give one picture per label",
            )
            return False
        if not names:
            self._add("reference-missing", "img_paths is empty", "Name at least one picture")
            return False
        if len(names) > len(labels) != 1:
            self._add(
                "images-without-labels",
                f"img_paths names {len(names)} pictures, class_label only {len(labels)} subjects; "
                "the last pictures go without a label",
                "Give one label per picture",
                severity=Severity.WARNING,
            )
        return True

    def _picture(self, name: str, key: str) -> tuple[str, Path] | None:
        """Relative path and file of a picture inside the test set's folder."""
        # The check is of the words, not of resolved links: download caches link every file elsewhere.
        relative = PurePosixPath(name.replace("\\", "/"))
        if relative.is_absolute() or ".." in relative.parts or re.match(r"[A-Za-z]:", name):
            self._add(
                "reference-outside",
                f"{key} leads outside the test set's folder: {name!r}",
                "Put the picture into the folder and name it by a relative path",
            )
            return None
        path: Path | None
        try:
            path = as_stored(self._file.parent, relative.as_posix())
        except (ValueError, OSError):  # NUL characters, names too long
            path = None
        if path is None or not path.is_file():
            self._add(
                "reference-missing",
                f"{key} names a picture that does not exist: {name!r}",
                f"Put the picture at {relative} beside {self._file.name}",
            )
            return None
        return relative.as_posix(), path

    def _value(self, item: Item, key: str) -> object:
        value = item.get(key)
        if value is None:
            found = f"{key} is null" if key in item else f"{key} is missing"
            self._add("item-key-missing", found, f"Give {key} a value")
        return value

    def _checked_text(self, value: object, key: str) -> str | None:
        if not isinstance(value, str):
            self._wrong_type(key, "a string", value)
            return None
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            self._add("prompt-undecodable", f"{key} holds half a surrogate pair", "Restore the text")
            return None
        return clean_text(value)

    def _wrong_type(self, key: str, expected: str, value: object) -> None:
        self._add(
            "item-type", f"{key} is not {expected} but {json.dumps(value)[:60]}", f"Make {key} {expected}"
        )

    def _add(self, code: str, found: str, action: str, *, severity: Severity = Severity.ERROR) -> None:
        self.findings.append(self._finding(code, found, action, severity=severity))

    def _finding(self, code: str, found: str, action: str, *, severity: Severity = Severity.ERROR) -> Finding:
        return Finding(
            code=code,
            severity=severity,
            path=self._file.name,
            message=f"Item {self._number}: {found}.",
            action=f"{action}.",
            sample=str(self._number),
        )


def _without_suffix(relative: str) -> str:
    return PurePosixPath(relative).with_suffix("").as_posix()
