"""Timelines as people and language models write them, each with the events that a reader takes from it."""

from __future__ import annotations

import json

Triples = list[tuple[float, float, str]]

WAVES_AND_SITS: Triples = [(0.0, 2.0, "waves"), (2.0, 5.0, "sits down")]


def _entries(start: str, end: str, text: str, *times: float | str) -> list[dict[str, float | str]]:
    """The two events as JSON has them, under these keys."""
    return [{start: times[k], end: times[k + 1], text: WAVES_AND_SITS[k][2]} for k in range(2)]


_SAME = [
    # The test set's own layout, and every part of it in another hand.
    "0–2s: [waves]; 2–5s: [sits down]",
    "0-2s: [waves]; 2-5s: [sits down]",
    "0—2s: [waves]; 2—5s: [sits down]",
    "0−2s: [waves]; 2−5s: [sits down]",
    "0‑2s: [waves]; 2‑5s: [sits down]",
    "0―2s: [waves]; 2―5s: [sits down]",
    "0~2s: [waves]; 2~5s: [sits down]",
    "0～2s：[waves]；2～5s：[sits down]",
    "0〜2秒: waves; 2〜5秒: sits down",
    "0→2s: [waves]; 2→5s: [sits down]",
    "0->2s: [waves]; 2->5s: [sits down]",
    "0 --> 2s: waves\n2 --> 5s: sits down",
    "0--2s: waves; 2--5s: sits down",
    "0 – 2 s: [waves]; 2 – 5 s: [sits down]",
    "0 to 2s: [waves]; 2 to 5s: [sits down]",
    "0s until 2s: [waves]; 2s until 5s: [sits down]",
    "0s–2s: [waves]; 2s–5s: [sits down]",
    "0.0s-2.0s: waves; 2.0s-5.0s: sits down",
    "0,0–2,0s: [waves]; 2,0–5,0s: [sits down]",
    "0–2s [waves] 2–5s [sits down]",
    "0–2s waves, 2–5s sits down",
    "0–2s: waves | 2–5s: sits down",
    "0–2s - waves\n2–5s - sits down",
    "0–2s – waves; 2–5s – sits down",
    "0-2s > waves; 2-5s > sits down",
    "0–2s: (waves); 2–5s: (sits down)",
    "0–2s: 【waves】; 2–5s: 【sits down】",
    "0–2s：［waves］；2–5s：［sits down］",
    "０～２ｓ：ｗａｖｅｓ；２～５ｓ：sits down",
    # Units.
    "0-2 sec: waves; 2-5 sec: sits down",
    "0-2 sec. waves; 2-5 sec. sits down",
    "0-2 sec.: waves; 2-5 sec.: sits down",
    "0-2secs: waves; 2-5secs: sits down",
    "0-2 secs. waves; 2-5 secs. sits down",
    "0-2 seconds: waves; 2-5 seconds: sits down",
    "0-2 Seconds: waves; 2-5 SECONDS: sits down",
    "0-2S: waves; 2-5S: sits down",
    "0-2秒：waves；2-5秒：sits down",
    "0秒-2秒 waves 2秒-5秒 sits down",
    "0秒到2秒：waves；2秒到5秒：sits down",
    "0至2秒：waves；2至5秒：sits down",
    "第0-2秒：waves；第2-5秒：sits down",
    "0-2000ms: waves; 2000-5000ms: sits down",
    "0ms–2000ms: [waves]; 2000ms–5000ms: [sits down]",
    "0 ms to 2 s: waves; 2 s to 5000 ms: sits down",
    "0-2000 msec: waves; 2000-5000 msecs: sits down",
    "0-2000 milliseconds: waves; 2000-5000 milliseconds: sits down",
    # Brackets around the range.
    "[0-2] waves [2-5] sits down",
    "[0s-2s] waves [2s-5s] sits down",
    "[0-2s]: waves; [2-5s]: sits down",
    "[0-2s] [waves] [2-5s] [sits down]",
    "(0-2) waves (2-5) sits down",
    "(0-2s): waves; (2-5s): sits down",
    "【0-2】waves【2-5】sits down",
    "[ 0 - 2 ] waves [ 2 - 5 ] sits down",
    "[0:00-0:02] waves [0:02-0:05] sits down",
    "[00:00 -> 00:02] waves\n[00:02 -> 00:05] sits down",
    # Clock times.
    "0:00-0:02 waves; 0:02-0:05 sits down",
    "00:00-00:02: waves; 00:02-00:05: sits down",
    "00:00:00-00:00:02: waves; 00:00:02-00:00:05: sits down",
    "00:00:00-00:00:02 waves 00:00:02-00:00:05 sits down",
    "0:00:00–0:00:02 (waves), 0:00:02–0:00:05 (sits down)",
    "00:00.0-00:02.0 waves; 00:02.0-00:05.0 sits down",
    "00:00:00,000 --> 00:00:02,000\nwaves\n\n00:00:02,000 --> 00:00:05,000\nsits down",
    "1\n00:00:00,000 --> 00:00:02,000\nwaves\n\n2\n00:00:02,000 --> 00:00:05,000\nsits down",
    "00:00:00.000 --> 00:00:02.000\nwaves\n\n00:00:02.000 --> 00:00:05.000\nsits down",
    # Sentences.
    "from 0 to 2 seconds: waves; from 2 to 5 seconds: sits down",
    "From 0 to 2 seconds, waves, from 2 to 5 seconds, sits down",
    "waves (0-2s); sits down (2-5s)",
    "waves (0-2s), sits down (2-5s).",
    "waves [0:00-0:02], sits down [0:02-0:05]",
    # A sentence in front of the first range says nothing of an event.
    "In a park. 0–2s: [waves]; 2–5s: [sits down]",
    "A woman in a red coat.\n0-2s: waves\n2-5s: sits down",
    # Lists and markdown.
    "- 0-2s: waves\n- 2-5s: sits down",
    "* 0-2s: waves\n* 2-5s: sits down",
    "• 0-2s: waves\n• 2-5s: sits down",
    "1. 0-2s: waves\n2. 2-5s: sits down",
    "1) 0-2s: waves\n2) 2-5s: sits down",
    "**0-2s**: waves\n**2-5s**: sits down",
    "**0-2s:** waves\n**2-5s:** sits down",
    "- **0-2s**: waves\n- **2-5s**: sits down",
    "1. **[0-2s]** waves\n2. **[2-5s]** sits down",
    "| 0-2s | waves |\n| 2-5s | sits down |",
    # Order, line ends, white space.
    "2–5s: [sits down]; 0–2s: [waves]",
    "0-2s: waves\r\n2-5s: sits down\r\n",
    "  0-2s:\twaves ;\n\n 2-5s:\tsits   down ; ",
    "0-2: waves\n2-5: sits down",
    "0-2: waves; 2-5: sits down;",
    # JSON.
    json.dumps(_entries("start", "end", "description", 0, 2, 5)),
    json.dumps(_entries("start_time", "end_time", "caption", 0.0, 2.0, 5.0)),
    json.dumps(_entries("start", "end", "action", "0s", "2s", "5s")),
    json.dumps(_entries("start", "end", "action", "0:00", "0:02", "0:05")),
    json.dumps(_entries("start", "end", "text", "00:00:00", "00:00:02", "00:00:05")),
    json.dumps(_entries("start", "end", "caption", "0 ms", "2000 ms", "5000ms")),
    json.dumps(_entries("start", "end", "caption", "0,0", "2,0", "5,0 sec.")),
    json.dumps(_entries("begin", "stop", "text", 0, 2, 5)),
    json.dumps(_entries("start", "end", "description", 0, 2, 5)[::-1]),
    json.dumps(_entries("start", "end", "description", 0, 2, 5), indent=2) + "\n",
    json.dumps({"events": _entries("start", "end", "action", 0, 2, 5)}),
    json.dumps({"global_prompt": "x", "temporal_captions": _entries("start", "end", "caption", 0, 2, 5)}),
    json.dumps({"timeline": {"segments": _entries("start", "end", "text", 0, 2, 5)}}),
    json.dumps({"entities": [{"events": [event]} for event in _entries("start", "end", "action", 0, 2, 5)]}),
]  # fmt: skip

_OTHERS: list[tuple[str, Triples]] = [
    # Numbers in actions are no times.
    ("0–2s: [picks up 2-3 apples]; 2–5s: [eats]", [(0, 2, "picks up 2-3 apples"), (2, 5, "eats")]),
    ("0-2s: a 10-year-old boy runs", [(0, 2, "a 10-year-old boy runs")]),
    ("0-2s: [reads (pages 3-4)]; 2-5s: [rests]", [(0, 2, "reads (pages 3-4)"), (2, 5, "rests")]),
    ("0-4s: [waits [1-2s] there]; 4-5s: [leaves]", [(0, 4, "waits [1-2s] there"), (4, 5, "leaves")]),
    ("0–2s: [waves to a friend (twice)]", [(0, 2, "waves to a friend (twice)")]),
    ("0-3s: he scores 3-2 in 2024-05-06's game", [(0, 3, "he scores 3-2 in 2024-05-06's game")]),
    ("picks up 2-3 apples", []),
    ("a 10-year-old boy", []),
    ("between 2 and 5 metres", []),
    ("", []),
    ("a woman walks through a park", []),
    # Brackets in actions.
    ("0-2s: [[waves] and (smiles)]", [(0, 2, "[waves] and (smiles)")]),
    ("0-2s: [waves] then [smiles]", [(0, 2, "[waves] then [smiles]")]),
    ("0-2s: (waves) and (smiles); 2-5s: [sits]", [(0, 2, "(waves) and (smiles)"), (2, 5, "sits")]),
    ("0-2s: [[[waves]]]", [(0, 2, "[[waves]]")]),
    ("0-2s: [waves; smiles]; 2-5s: [sits, slowly]", [(0, 2, "waves; smiles"), (2, 5, "sits, slowly")]),
    ("0-2s: waves: with both hands", [(0, 2, "waves: with both hands")]),
    # The full stop of a sentence is the sentence's.
    ("From 0s to 2s: He waves. From 2s to 5s: He sits.", [(0, 2, "He waves."), (2, 5, "He sits.")]),
    # Fractions, hours, overlaps, gaps, one event, events at once.
    ("0–1.5s: [waves]; 1.5–3.25s: [sits]", [(0, 1.5, "waves"), (1.5, 3.25, "sits")]),
    (".5-1.5s: waves", [(0.5, 1.5, "waves")]),
    ("0,5–1,5 s: winkt", [(0.5, 1.5, "winkt")]),
    ("0:00.5-0:01.25 waves", [(0.5, 1.25, "waves")]),
    ("1:00-1:30 waves", [(60, 90, "waves")]),
    ("01:00:00-01:00:02 waves", [(3600, 3602, "waves")]),
    ("00:01:00-00:01:30: waves; 00:01:30-00:02:00: sits", [(60, 90, "waves"), (90, 120, "sits")]),
    ("500ms-1500ms: waves; 1500ms-2s: sits", [(0.5, 1.5, "waves"), (1.5, 2, "sits")]),
    ("500 ms to 2 s: waves", [(0.5, 2, "waves")]),
    ("0-3s: [waves]; 2-5s: [smiles]", [(0, 3, "waves"), (2, 5, "smiles")]),
    ("0-2s: [waves]; 0-2s: [smiles]", [(0, 2, "smiles"), (0, 2, "waves")]),
    ("0-5s: [walks]; 0-2s: [waves]", [(0, 2, "waves"), (0, 5, "walks")]),
    ("1-2s: [waves]; 3-4s: [sits]", [(1, 2, "waves"), (3, 4, "sits")]),
    ("0-5s: [waves]", [(0, 5, "waves")]),
    ("0-2s: [挥手]；2-5s: [坐下]", [(0, 2, "挥手"), (2, 5, "坐下")]),
    ("0到2秒：挥手；2到5秒：坐下", [(0, 2, "挥手"), (2, 5, "坐下")]),
    ("从0秒到2秒：挥手；从2秒到5秒：坐下", [(0, 2, "挥手"), (2, 5, "坐下")]),
    ("She waves (0-2s), then she sits down (2-5s).", [(0, 2, "She waves"), (2, 5, "then she sits down")]),
    ("0-2s: [A\u00a0man\u200awaves]\n", [(0, 2, "A man waves")]),
    ("0-2s: [A\x1b man]", [(0, 2, "A man")]),
    ("０．５–１．５ｓ：waves", [(0.5, 1.5, "waves")]),
    # What is unsound costs its event alone.
    ("2-1s: back", []),
    ("2-2s: nothing", []),
    ("-1-2s: early", []),
    ("0-1s: ; 1-2s: sits", [(1, 2, "sits")]),
    ("3-2s: back; 2-5s: sits", [(2, 5, "sits")]),
    ('[{"start": 0, "end": 1}]', []),
    (
        '[{"start": "soon", "end": 1, "caption": "x"}, {"start": 1, "end": 2, "caption": "sits"}]',
        [(1, 2, "sits")],
    ),
    ('[{"start": "nan", "end": 1, "description": "x"}]', []),
    ('[{"start": 0', []),
    ('[{"start": 0, "end": 2, "description": 7}]', []),
    ('{"global_prompt": "0-2s: waves"}', []),
    ('{"0-2s": "waves", "2-5s": "sits"}', []),
    ("[0, 2, 5]", []),
]  # fmt: skip

CORPUS: list[tuple[str, Triples]] = [*((text, WAVES_AND_SITS) for text in _SAME), *_OTHERS]
"""Text, and (start, end, description) in seconds by start, then end, then description."""
