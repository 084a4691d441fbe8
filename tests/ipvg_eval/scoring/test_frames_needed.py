"""A damaged video has values of what decodes, unless the protocol needs more of it."""

from __future__ import annotations

import pytest
import yaml

from ipvg_eval import Recipe, score
from ipvg_eval.core.row import Status
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.protocols.loading import load_protocol


def protocol(tmp_path, needed):
    """The protocol lite with one metric and this rule."""
    content = {
        "name": "strict", "version": 1, "title": "t", "official": False, "notice": "n",
        "evaluators": [{"kind": "lite_motion"}],
    }  # fmt: skip
    path = tmp_path / "strict.yaml"
    path.write_text(yaml.safe_dump(content | ({} if needed is None else {"frames_needed": needed})))
    return str(path)


@pytest.fixture
def damaged(careful):
    """The second half of a video's pictures zeroed, its index whole."""
    path = careful / "id001" / "prompt1.mp4"
    content = bytearray(path.read_bytes())
    begin = content.index(b"mdat") + 4
    size = int.from_bytes(content[begin - 8 : begin - 4], "big") - 8
    content[begin + size // 2 : begin + size] = bytes(size - size // 2)
    path.write_bytes(content)
    return careful


def row(submission, fixtures, tmp_path, needed):
    out = tmp_path / f"run-{needed}"
    recipe = Recipe(protocol=protocol(tmp_path, needed))
    run = score(submission, testset=fixtures / "testset", recipe=recipe, out=out, limit=1)
    return next(iter(run.folder.journal.read().values()))


@pytest.mark.parametrize(("needed", "counts"), [(None, True), (0.05, True), (1.0, False)])
def test_the_protocol_says_how_much_of_a_damaged_video_must_decode(
    damaged, fixtures, tmp_path, needed, counts
):
    found = row(damaged, fixtures, tmp_path, needed)
    assert found.status is (Status.SCORED if counts else Status.UNDECODABLE)
    if counts:
        assert found.damage is not None
        assert found.measurements[0].value is not None
    else:
        assert "the protocol needs 100%" in found.reason
        assert {measurement.value for measurement in found.measurements} == {None}


def test_a_whole_video_has_all_of_its_frames(careful, fixtures, tmp_path):
    assert row(careful, fixtures, tmp_path, 1.0).status is Status.SCORED


def test_the_rule_is_one_of_the_rules(tmp_path):
    hashes = {load_protocol(protocol(tmp_path, needed)).sha256 for needed in (None, 0.5, 1.0)}
    assert len(hashes) == 3
    for wrong in (0, 1.1, "half"):
        with pytest.raises(ProtocolError, match="frames_needed"):
            load_protocol(protocol(tmp_path, wrong))
