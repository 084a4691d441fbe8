"""Which shipped protocols can be had from which runs."""

from __future__ import annotations

import pytest

from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.protocols.definition import shipped_protocols
from ipvg_eval.metrics.protocols.loading import LoadedProtocol, load_protocol, restore_protocol
from ipvg_eval.metrics.protocols.recombination import plan_recombination


def versions(protocol: LoadedProtocol) -> dict[str, int]:
    return {spec.name: spec.version for spec in protocol.specs}


def test_a_run_by_the_default_protocol_has_everything_that_tpige_wants():
    ipvg, tpige = load_protocol("ipvg"), load_protocol("tpige")
    steps = plan_recombination(tpige, ipvg, versions(ipvg))
    assert [step.spec for step in steps] == list(tpige.specs)
    copied = {step.spec.name for step in steps if step.copied}
    assert copied == {"gme_score", "motion_smoothness", "imaging_quality"}


@pytest.mark.parametrize("name", shipped_protocols())
def test_a_run_has_everything_of_its_own_protocol(name):
    protocol = load_protocol(name)
    assert all(step.copied for step in plan_recombination(protocol, protocol, versions(protocol)))


def test_everything_that_tpige_did_not_keep_is_listed():
    ipvg, tpige = load_protocol("ipvg"), load_protocol("tpige")
    with pytest.raises(ProtocolError) as caught:
        plan_recombination(ipvg, tpige, versions(tpige))
    head, *lines = str(caught.value).splitlines()
    assert "'ipvg'" in head
    # What no metric of tpige holds: the kept scores over all frames follow from the scores.
    lacking = {"face_fid_samples", "clip_score_long", "clip_prompt_tokens"}
    lacking |= {"dynamic_degree"} & {spec.name for spec in ipvg.specs}
    assert {line.split(":")[0].strip() for line in lines} == lacking
    assert caught.value.exit_code == 2
    assert "--metrics" in caught.value.hint


def test_another_network_or_other_frames_are_named():
    consisid, ipvg = load_protocol("consisid"), load_protocol("ipvg")
    with pytest.raises(ProtocolError) as caught:
        plan_recombination(consisid, ipvg, versions(ipvg))
    assert "clip_score: model 'clip_vit_b16' in the run, 'clip_vit_b32' wanted" in str(caught.value)
    assert "cur_score" not in str(caught.value)


def test_a_run_remembers_the_evaluators_it_really_had():
    chosen = load_protocol("lite").select(["lite_motion"]).with_budget(4)
    restored = restore_protocol(chosen.text, chosen.definition.evaluators, where="run.json")
    assert restored.specs == chosen.specs
    assert restored.parts[0].options == chosen.parts[0].options
