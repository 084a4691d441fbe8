"""A run folder in which every text that a stranger may choose is hostile."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ipvg_eval.core.audit_record import AuditEntry, AuditRecord
from ipvg_eval.core.printable import json_text
from ipvg_eval.core.row import SampleRow, Status
from ipvg_eval.core.run import RunInfo
from ipvg_eval.findings import Finding, Severity
from ipvg_eval.results.folder import RunFolder

TITLE, SCREEN, TURNED = "\x1b]2;owned\x07", "\x1b[2J\x1b[9A\x9b2J", "\u202eevil\u2066"
SCRIPT = "\"'></script></td><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
LATEX = "\\input{x} & % $ # _ ^ ~ {{7*7}} | `x`"
HOSTILE = f"=cmd|' /C calc'!A0{TITLE}{SCREEN}{TURNED}\r\n\t\x08\u200b\u2028{SCRIPT}{LATEX}[/red][link=x]"
"""A formula, what a terminal obeys, what turns text round, ends of lines and cells, a script, and markup."""

_OURS = {"sha256", "fingerprint", "text", "kind", "status", "started", "finished", "device", "dtype",
         "layout", "track", "evaluators", "video_sha256", "verdicts", "at"}  # fmt: skip


def hostile(content: Any, spoil: Callable[[str], str]) -> Any:
    """The same with every text spoilt, but for those that this project itself chooses or checks."""
    if isinstance(content, str):
        return spoil(content)
    if isinstance(content, list):
        return [hostile(item, spoil) for item in content]
    if isinstance(content, dict):
        return {key: value if key in _OURS and not isinstance(value, dict) else hostile(value, spoil)
                for key, value in content.items()}  # fmt: skip
    return content


def write_hostile_run(source: Path, folder: Path, text: str = HOSTILE) -> Path:
    """A whole, consistent run folder made from another one; two of its samples have no values."""

    def spoil(word: str) -> str:
        return text + word

    info = RunInfo.model_validate(hostile(json.loads((source / "run.json").read_text("utf-8")), spoil))
    rows = [hostile(json.loads(line), spoil) for line in (source / "journal.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row |= {"note": spoil("note"), "damage": spoil("damage")}
        for measurement in row["measurements"]:
            measurement["note"] = spoil("note")
            if number < 2:
                measurement |= {"value": None, "reason": spoil("reason")}
        if number == 0:
            row |= {"status": Status.UNDECODABLE, "reason": spoil("reason")}
    counts = info.counts.model_copy(
        update={"scored": info.counts.scored - 1, "undecodable": info.counts.undecodable + 1}
    )
    counts = counts.model_copy(update={"damaged": sum(row["status"] == "scored" for row in rows)})
    parsed = [SampleRow.model_validate(row) for row in rows]
    run = RunFolder(folder)
    folder.mkdir(parents=True)
    with run.journal.appending() as journal:
        for row in parsed:
            journal.append(row)
    finding = Finding(code="x", severity=Severity.ERROR, path=text, message=text, action=text, sample=text)
    run.write_findings([finding])
    entry = AuditEntry(
        kind="still-video", team=info.team, videos=(text,), message=text, numbers={text: 1.0}, thresholds={}
    )
    audit = AuditRecord(teams={info.team: 1}, findings=(entry,), unchecked=(text,), thresholds={})
    (folder / "audit.json").write_text(json_text(audit.model_dump(mode="json")), "utf-8")
    run.write_results(info.model_copy(update={"counts": counts}), parsed)
    return folder
