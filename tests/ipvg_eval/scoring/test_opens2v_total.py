"""OpenS2V-Eval's totals of a run: by hand, against the published merging, and end to end."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.core.comparability import comparable_facts
from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status
from ipvg_eval.errors import RunError
from ipvg_eval.metrics.opens2v.normalisation import unit_aesthetic, unit_size
from ipvg_eval.metrics.opens2v.outside_scores import OutsideScores
from ipvg_eval.metrics.protocols.definition import read_text
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Reference, Target
from ipvg_eval.results import Run
from ipvg_eval.results.aggregate import aggregate, summarise_combinations
from ipvg_eval.scoring import Recipe, score

SEQUENTIAL = Path(__file__).resolve().parents[3] / "fixtures" / "sequential"
CLIP = ClipInfo(frame_count=1, width=8, height=8, fps=8.0, duration=0.125, times=(0.0,))
MEASURED_HERE = ("aesthetic_score", "motion_amplitude", "cur_score", "gme_score")


def files_of(folder, smoothness, nexus, rounds):
    """Score files as the published scripts write them, and the options that name them."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "motion_smoothness": {v: {"motion_smoothness": s} for v, s in smoothness.items()},
        "nexusscore": {v: {"nexus_score": s} for v, s in nexus.items()},
        **{f"naturalscore_{n}": marks for n, marks in enumerate(rounds, start=1)},
    }
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    paths = {name: str(folder / f"{name}.json") for name in contents}
    return {
        "motion_smoothness": paths["motion_smoothness"],
        "nexusscore": paths["nexusscore"],
        "naturalscore": [paths[f"naturalscore_{n}"] for n in range(1, len(rounds) + 1)],
    }


def totals(measured, options):
    """Totals of a run: metrics measured here are given by video, the others come from files."""
    outside = OutsideScores(OutsideScores.Options(**options), Runtime())
    protocol = load_protocol("opens2v-total")
    rows = [row_of(video, values, outside, protocol.specs) for video, values in measured.items()]
    metrics = aggregate(rows, protocol.specs)
    return {c.name: c for c in summarise_combinations(protocol.combined, metrics, rows)}


def row_of(video, values, outside, specs):
    target = Target(sample_id=video, references=(Reference(path=Path("unused.png")),), prompt="")
    found = {m.name: m.value for m in outside.start(target, CLIP).finish()}
    found |= values
    if "aesthetic_score" in values:
        found["aesthetic_score_unit"] = unit_aesthetic(values["aesthetic_score"])
    if "motion_amplitude" in values:
        found["motion_amplitude_unit"] = unit_size(values["motion_amplitude"])
    rows = ((spec.name, found.get(spec.name)) for spec in specs)
    return SampleRow(
        sample=video,
        identity=video,
        video=f"{video}.mp4",
        video_sha256="0" * 64,
        status=Status.SCORED,
        measurements=tuple(
            MeasurementRow(name=name, value=value, reason="none" if value is None else None)
            for name, value in rows
        ),
        seconds=0.0,
    )


def test_two_videos_by_hand(tmp_path):
    """Aesthetics (.5 + 1) / 2 = .75, amplitude (.2 + 1) / 2 = .6, smoothness .9, Cur .7, GME .6;

    NexusScore .5, the other video's 0 is left out; naturalness (.5 + .75) / 2 = .625.
    """
    options = files_of(
        tmp_path,
        smoothness={"a": 0.9},
        nexus={"a": 0.025, "b": 0},
        rounds=({"a": "3", "b": "5"}, {"a": "3", "b": "4"}, {"a": "3", "b": "3"}),
    )
    measured = {
        "a": dict(zip(MEASURED_HERE, (5.5, 0.2, 0.8, 0.5), strict=True)),
        "b": dict(zip(MEASURED_HERE, (8.0, 3.0, 0.6, 0.7), strict=True)),
    }
    found = {name: total.value for name, total in totals(measured, options).items()}
    assert found == pytest.approx(
        {
            "opens2v_total_human_v1_1": 0.135 + 0.081 + 0.018 + 0.175 + 0.09 + 0.1875,
            "opens2v_total_open_v1_1": 0.12 + 0.054 + 0.012 + 0.14 + 0.072 + 0.1 + 0.15,
            "opens2v_total_human_v1_0": 0.1125 + 0.09 + 0.175 + 0.09 + 0.1875,
            "opens2v_total_open_v1_0": 0.09 + 0.072 + 0.14 + 0.072 + 0.1 + 0.15,
        },
        abs=1e-12,
    )


def test_the_weights_of_every_total_sum_to_1():
    combined = load_protocol("opens2v-total").combined
    assert len(combined) == 4
    for combination in combined:
        assert sum(combination.weights.values()) == pytest.approx(1.0, abs=1e-12)


def test_a_term_without_values_leaves_no_total(tmp_path):
    """The published script would go on with (0 - 1) / 4 for naturalness."""
    options = files_of(tmp_path, smoothness={"a": 0.9}, nexus={"a": 0.0}, rounds=())
    found = totals({"a": dict(zip(MEASURED_HERE, (5.0, 0.2, 0.8, 0.5), strict=True))}, options)
    assert {total.value for total in found.values()} == {None}
    assert found["opens2v_total_human_v1_1"].reason == "no natural_score_unit"
    assert found["opens2v_total_open_v1_0"].reason == "no nexus_score_unit, natural_score_unit"


def merged(videos, weights):
    """The published merging of per-video scores: clip, mean over the videos that have one, scale, add."""
    ranges = {
        "aesthetics": (4.0, 7.0, lambda s: max(min(s, 7.0), 4.0)),
        "amplitude": (0.0, 1.0, lambda s: min(abs(s), 1.0)),
        "smoothness": (0.0, 1.0, lambda s: min(abs(s), 1.0)),
        "cur": (0.0, 1.0, lambda s: min(s, 1.0)),
        "gme": (0.0, 1.0, lambda s: min(s, 1.0)),
        "nexus": (0.0, 0.05, lambda s: min(s, 0.05)),
        "natural": (1.0, 5.0, lambda s: max(min(s, 5.0), 1.0)),
    }
    total = 0.0
    for name, weight in weights.items():
        low, high, clip = ranges[name]
        scores = [v[name] for v in videos if v[name] is not None and not (name == "nexus" and v[name] == 0)]
        total += weight * (sum(map(clip, scores)) / len(scores) - low) / (high - low)
    return total


NAMES = ("aesthetics", "smoothness", "amplitude", "cur", "gme", "nexus", "natural")
PUBLISHED = {
    "opens2v_total_human_v1_1": (0.18, 0.09, 0.03, 0.25, 0.15, 0, 0.30),
    "opens2v_total_open_v1_1": (0.16, 0.06, 0.02, 0.20, 0.12, 0.20, 0.24),
    "opens2v_total_human_v1_0": (0.15, 0, 0.15, 0.25, 0.15, 0, 0.30),
    "opens2v_total_open_v1_0": (0.12, 0, 0.12, 0.20, 0.12, 0.20, 0.24),
}
VIDEO = st.fixed_dictionaries(
    {
        "aesthetics": st.floats(2, 9),
        "amplitude": st.floats(0, 3),
        "smoothness": st.none() | st.floats(0, 1),
        "cur": st.none() | st.floats(-1, 1),
        "gme": st.floats(0, 1),
        "nexus": st.none() | st.just(0.0) | st.floats(0.001, 0.1),
        "natural": st.none() | st.floats(0, 6),
    }
)
WHOLE = {
    "aesthetics": 5.0,
    "amplitude": 0.5,
    "smoothness": 0.9,
    "cur": 0.6,
    "gme": 0.7,
    "nexus": 0.02,
    "natural": 4.0,
}


@given(st.lists(VIDEO, max_size=5))
@settings(max_examples=25, deadline=None)
def test_the_published_merging_of_the_same_scores(tmp_path_factory, others):
    """One video has everything, so that every mean exists; the others have what they have."""
    videos = {f"v{n}": video for n, video in enumerate([WHOLE, *others])}

    def given_ones(name):
        return {v: video[name] for v, video in videos.items() if video[name] is not None}

    natural = given_ones("natural")
    options = files_of(
        tmp_path_factory.mktemp("merged"),
        given_ones("smoothness"),
        given_ones("nexus"),
        [natural, natural, {v: str(mark) for v, mark in natural.items()}],
    )
    measured = {
        v: {
            name: video[short]
            for name, short in zip(MEASURED_HERE, ("aesthetics", "amplitude", "cur", "gme"), strict=True)
            if video[short] is not None
        }
        for v, video in videos.items()
    }
    for name, total in totals(measured, options).items():
        weights = {n: w for n, w in zip(NAMES, PUBLISHED[name], strict=True) if w}
        assert total.value == pytest.approx(merged(videos.values(), weights), abs=1e-9)


@pytest.fixture(scope="module")
def protocol(tmp_path_factory):
    """The shipped protocol with files written into its options, as its description says."""
    folder = tmp_path_factory.mktemp("files")
    videos = ("id001_prompt1", "1")
    options = files_of(
        folder,
        smoothness=dict.fromkeys(videos, 0.5),
        nexus=dict.fromkeys(videos, 0.05),
        rounds=[dict.fromkeys(videos, str(n)) for n in (2, 3, 4)],
    )
    content = yaml.safe_load(read_text("opens2v-total"))
    _entry(content, "outside_scores")["options"] = options
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def _entry(content, kind):
    (entry,) = (entry for entry in content["evaluators"] if entry["kind"] == kind)
    return entry


@pytest.fixture(scope="module")
def scorer(protocol):
    """Everything but GME's seven billion weights, without which there is no total, and ArcFace."""
    left_out = {"gme_score", "arc_score"}
    wanted = [spec.name for spec in load_protocol(str(protocol)).specs if spec.name not in left_out]
    return Recipe(protocol=str(protocol), metrics=wanted, device="cpu", weights="random:0", frames=2).build()


@pytest.fixture(scope="module", params=["track 1", "track 2"])
def run(request, scorer, fixtures, tmp_path_factory):
    places = {
        "track 1": (fixtures / "submissions" / "careful", fixtures / "testset"),
        "track 2": (SEQUENTIAL / "submissions" / "ordered", SEQUENTIAL / "testset"),
    }
    submission, testset = places[request.param]
    out = tmp_path_factory.mktemp("totals") / "run"
    return score(submission, testset=testset, recipe=scorer, limit=1, out=out)


def test_both_tracks_are_scored_with_full_size_networks(run, protocol):
    (sample,) = run.samples.to_dict("records")
    assert sample["status"] == "scored"
    assert sample["opens2v_smoothness"] == sample["natural_score_unit"] == 0.5
    assert sample["nexus_score_unit"] == 1.0
    assert 0.0 <= sample["aesthetic_score_unit"] <= 1.0
    assert sample["motion_amplitude_unit"] == min(sample["motion_amplitude"], 1.0)
    assert abs(sample["aesthetic_score"]) > 0.0
    assert "cur_score" in sample
    smoothness = protocol.parent / "motion_smoothness.json"
    assert (
        run.info.weights["file: motion_smoothness.json"]
        == hashlib.sha256(smoothness.read_bytes()).hexdigest()
    )
    assert run.info.weights["clip_vit_l14"] == run.info.weights["aesthetic_head"] == "random:0"
    assert run.summary.combined == ()
    assert "this run did not measure them" in run.summary.notice


def test_teams_with_files_of_their_own_compare_and_a_run_keeps_to_its_files(fixtures, tmp_path):
    """A small protocol with a total of its own: motion amplitude is measured, smoothness is read."""
    content = yaml.safe_load(read_text("opens2v-total"))
    kept = ("motion_amplitude", "outside_scores")
    content["evaluators"] = [entry for entry in content["evaluators"] if entry["kind"] in kept]
    content["combined"] = [
        {"name": "t", "title": "T", "weights": {"motion_amplitude_unit": 0.25, "opens2v_smoothness": 0.75}}
    ]

    def scored(name: str, value: float, out: str) -> Run:
        scores = tmp_path / f"smoothness-{name}.json"
        scores.write_text(json.dumps({"id001/prompt1": value}), "utf-8")
        _entry(content, "outside_scores")["options"] = {"motion_smoothness": str(scores)}
        protocol = tmp_path / f"{name}.yaml"
        protocol.write_text(yaml.safe_dump(content), "utf-8")
        return score(
            fixtures / "submissions" / "careful",
            testset=fixtures / "testset",
            protocol=str(protocol),
            limit=1,
            out=tmp_path / out,
        )

    runs = []
    for name, value in (("a", 0.5), ("b", 0.75)):
        runs.append(scored(name, value, name))
        (total,) = runs[-1].summary.combined
        amplitude = runs[-1].samples.loc[0, "motion_amplitude_unit"]
        assert total.value == pytest.approx(0.25 * amplitude + 0.75 * value, abs=1e-12)
    assert runs[0].info.weights != runs[1].info.weights
    assert comparable_facts(runs[0].info) == comparable_facts(runs[1].info)
    with pytest.raises(RunError, match=r"file: motion_smoothness\.json"):
        scored("a", 0.25, "a")
