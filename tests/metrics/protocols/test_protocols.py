"""Protocol files: what is accepted, what is refused, and how the refusal reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.protocols.definition import read_definition, shipped_protocols
from ipvg_eval.metrics.protocols.loading import load_protocol, parse_protocol
from ipvg_eval.metrics.weights import WEIGHTS

SMALL = """
name: small
version: 1
title: Motion only
evaluators:
  - kind: lite_motion
"""


def test_every_shipped_protocol_loads_and_is_named_like_its_file():
    assert "lite" in shipped_protocols()
    for name in shipped_protocols():
        protocol = load_protocol(name)
        assert protocol.definition.name == name
        assert protocol.specs


def test_comments_and_layout_do_not_change_the_fingerprint():
    one = parse_protocol(SMALL, where="one")
    other = parse_protocol(
        "# a comment\n" + SMALL.replace("title: Motion only", 'title:   "Motion only"'), where="o"
    )
    assert one.sha256 == other.sha256
    assert one.text != other.text


def test_an_option_changes_the_fingerprint():
    faces = SMALL.replace("lite_motion", "lite_faces")
    changed = parse_protocol(faces + "    options: {frames: 8}\n", where="p")
    assert changed.sha256 != parse_protocol(faces, where="p").sha256


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        ("name: [", "not valid YAML", "Mend"),
        ("- a\n- b", "a mapping of keys to values", "protocols show"),
        (SMALL + "evaluator: []\n", "unknown key 'evaluator'", "'evaluators'"),
        (SMALL.replace("kind:", "kin:"), "unknown key 'evaluators.0.kin'", "'kind'"),
        (SMALL.replace("lite_motion", "lite_moton"), "no evaluator is called 'lite_moton'", "'lite_motion'"),
        (SMALL.replace("version: 1", "version: zero"), "version", "protocols show"),
        (SMALL.replace("name: small", "name: ../up"), "name", "protocols show"),
        (SMALL + "    metrics: [lite_moton]\n", "reports no metric 'lite_moton'", "'lite_motion'"),
        (SMALL + "    options: {frame: 3}\n", "unknown key 'frame'", ""),
        (SMALL + "  - kind: lite_motion\n", "is reported twice", "metrics"),
        (SMALL + "corpus: [face_fd]\n", "no corpus metric is called 'face_fd'", "'face_fid'"),
        (SMALL + "corpus: [face_fid]\n", "'face_fid' is computed from 'face_fid_samples'", "Known"),
        (
            SMALL + "combined: [{name: t, title: T, weights: {lite_moton: 1}}]\n",
            "'lite_moton'",
            "'lite_motion'",
        ),
        ("name: small\nversion: 1\ntitle: t\nevaluators: []\n", "evaluators", "protocols show"),
    ],
)
def test_a_bad_file_is_refused_with_the_place_and_a_hint(text, says, hint):
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(text, where="mine.yaml")
    assert says in str(caught.value)
    assert hint in (caught.value.hint or "")


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(ProtocolError, match="no protocol 'lit'") as caught:
        load_protocol("lit")
    assert "'lite'" in caught.value.hint


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ProtocolError, match=r"mine\.yaml"):
        load_protocol(str(tmp_path / "mine.yaml"))


def test_a_protocol_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL, "utf-8")
    assert [spec.name for spec in load_protocol(str(path)).specs] == [
        spec.name for spec in parse_protocol(SMALL, where="p").specs
    ]


def test_selecting_metrics_drops_evaluators_that_are_not_needed():
    lite = load_protocol("lite")
    chosen = lite.select(["face_coverage"])
    assert [spec.name for spec in chosen.specs] == ["face_coverage"]
    assert [entry.kind for entry in chosen.definition.evaluators] == ["lite_faces"]
    assert chosen.sha256 != lite.sha256


def test_selecting_keeps_the_protocols_column_order():
    lite = load_protocol("lite")
    names = [spec.name for spec in lite.specs]
    assert [spec.name for spec in lite.select(reversed(names)).specs] == names


def test_selecting_an_unknown_metric_suggests_the_nearest():
    with pytest.raises(ProtocolError, match="no metric 'face_coverge'") as caught:
        load_protocol("lite").select(["face_coverge"])
    assert "'face_coverage'" in caught.value.hint


def test_reading_a_definition_does_not_load_torch():
    code = (
        "import sys; from ipvg_eval.metrics.protocols.definition import read_definition;"
        "read_definition('lite'); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert read_definition("lite").official is False


def test_a_selection_keeps_the_combinations_it_can_compute():
    text = SMALL + "combined:\n  - {name: total, title: Total, weights: {lite_motion: 2.0}}\n"
    protocol = parse_protocol(text, where="p")
    assert [c.name for c in protocol.select(["lite_motion"]).combined] == ["total"]
    assert protocol.select(["dynamic_degree_lite"]).combined == ()


@pytest.mark.parametrize("name", shipped_protocols())
def test_a_frame_budget_holds_every_evaluator_and_is_shouted(name):
    reduced = load_protocol(name).with_budget(2)
    assert reduced.definition.notice.startswith("REDUCED FRAME BUDGET (2)")
    assert reduced.definition.official is False
    looking = [part for part in reduced.parts if part.cls.BUDGET is not None]
    assert looking
    assert all(2 in part.entry.options.values() for part in looking)
    assert reduced.sha256 != load_protocol(name).sha256


@pytest.mark.parametrize("name", shipped_protocols())
def test_every_weight_a_protocol_needs_is_declared(name):
    assert set(load_protocol(name).required_weights()) <= set(WEIGHTS)


def test_what_needs_timelines_is_left_out_where_there_are_none():
    lite = load_protocol("lite")
    assert lite.suited_to(timelines=True) is lite
    facial = lite.suited_to(timelines=False)
    names, left = ({spec.name for spec in p.specs} for p in (lite, facial))
    assert names - left == {"lite_boundary_match", "cuts"}
    assert facial.suited_to(timelines=False) is facial
    with pytest.raises(ProtocolError, match="need timelines"):
        lite.select(["lite_boundary_match"]).suited_to(timelines=False)
