"""Two runs side by side: numbers by hand, directions, refusals, and the command."""

from __future__ import annotations

import json
import re

import pytest
from scipy import stats

from ipvg_eval import Recipe, score
from ipvg_eval.comparison import compare
from ipvg_eval.core.combination import Combination
from ipvg_eval.core.intervals import INTERVAL_TITLE
from ipvg_eval.core.row import MeasurementRow, SampleRow, Status
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.core.summary import CorpusSummary
from ipvg_eval.errors import RunError
from ipvg_eval.results import load_run
from ipvg_eval.results.aggregate import count
from ipvg_eval.results.folder import RunFolder

UP, DOWN, SIZE = (
    MetricSpec(
        name=name,
        version=1,
        higher_is_better=direction,
        bounds=(0.0, None),
        title=name.title(),
        summary="",
        source="by hand",
    )
    for name, direction in (("up", True), ("down", False), ("size", None))
)
TOTAL = Combination(name="total", title="Total", weights={"up": 1.0, "down": -0.5})
VALUES_A = {"a/1": (0.5, 4.0, 1.0), "a/2": (0.75, 3.0, 1.0), "b/1": (0.25, 2.0, 1.0), "b/2": (0.5, None, 1.0)}
VALUES_B = {"a/1": (0.25, 4.0, 2.0), "a/2": (0.25, 1.0, 2.0), "b/1": (0.5, 3.0, 2.0), "b/2": (None, 1.0, 2.0)}


def _many(values):
    """The same samples of three pairs of identities, so that there are intervals."""
    return {
        letters[sample[0] == "b"] + sample[1:]: found
        for letters in ("ab", "cd", "ef")
        for sample, found in values.items()
    }


@pytest.fixture(scope="session")
def template(fixtures, tmp_path_factory):
    """What a real run says about itself."""
    run = score(
        fixtures / "submissions" / "careful",
        testset=fixtures / "testset",
        recipe=Recipe(protocol="lite", metrics=["dynamic_degree_lite"]),
        limit=1,
        out=tmp_path_factory.mktemp("runs") / "template",
    )
    return run.info


@pytest.fixture
def make(tmp_path, template):
    """Writes a run of so many samples with the real classes, and reads it back."""

    def run(name: str, values, *, corpus=None, notice="", sha256="0" * 64):
        rows = [
            SampleRow(
                sample=sample,
                identity=sample[0],
                video=f"{sample}.mp4",
                video_sha256="0" * 64,
                status=Status.SCORED,
                measurements=tuple(
                    MeasurementRow(name=spec.name, value=value, reason=None if value is not None else "none")
                    for spec, value in zip((UP, DOWN, SIZE), found, strict=True)
                ),
                seconds=0.0,
            )
            for sample, found in values.items()
        ]
        protocol = template.protocol.model_copy(
            update={"combined": (TOTAL,), "notice": notice, "sha256": sha256}
        )
        changes = {"protocol": protocol, "specs": (UP, DOWN, SIZE), "team": name}
        info = template.model_copy(update={**changes, "counts": count(rows, samples=len(rows))})
        folder = RunFolder(tmp_path / name)
        fid = CorpusSummary(
            name="fid",
            title="FID",
            higher_is_better=False,
            value=corpus,
            reason=None,
            samples=1,
            references=1,
        )
        with folder.writing(info):
            folder.write_findings([])
            folder.write_results(info, rows, [] if corpus is None else [fid])
        return load_run(folder.path)

    return run


def test_differences_wins_and_ties_by_hand(make):
    found = compare(make("one", VALUES_A), make("two", VALUES_B))
    up, down, size, total = found.metrics
    assert (found.samples, found.identities, found.not_comparable) == (4, 2, {})
    # up: +0.25, +0.5 on a, -0.25 on b; b/2 has none in B.
    assert (up.mean_a, up.mean_b, up.difference) == (0.5, pytest.approx(1 / 3), pytest.approx(1 / 6))
    assert (up.samples, up.only_a, up.only_b) == (3, 1, 0)
    assert (up.wins_a, up.wins_b, up.ties) == (2, 1, 0)
    assert (up.low, up.high, up.chance, up.clear) == (None, None, None, False), "two identities are too few"
    assert "too few for intervals" in found.caution
    # down: less is better. 0, +2 on a, -1 on b; b/2 has none in A.
    assert down.difference == pytest.approx(1 / 3)
    assert (down.wins_a, down.wins_b, down.ties, down.only_b) == (1, 1, 1, 1)
    # size has no better side, whatever the sign.
    assert (size.difference, size.low, size.clear) == (-1.0, None, False)
    assert (size.wins_a, size.wins_b, size.ties) == (None, None, 0)
    # total = up - down / 2, where both terms are there: 0.25, 0.5 - 1, -0.25 + 0.5.
    assert total.difference == pytest.approx((0.25 - 0.5 + 0.25) / 3)
    assert (total.samples, total.wins_a, total.wins_b) == (3, 2, 1)


def test_the_samples_that_differ_most_come_first_with_both_values(make):
    up, down, *_ = compare(make("one", VALUES_A), make("two", VALUES_B), most=2).metrics
    assert [(s.sample, s.a, s.b) for s in up.most] == [("a/2", 0.75, 0.25), ("a/1", 0.5, 0.25)]
    assert [s.sample for s in down.most] == ["a/2", "b/1"], "equal samples do not differ most"


def test_folders_are_taken_and_tables_given(make):
    one, two = (make(name, values).folder.path for name, values in (("one", VALUES_A), ("two", VALUES_B)))
    found = compare(str(one), two)
    assert found == compare(load_run(one), load_run(two))
    assert list(found.table.index) == ["up", "down", "size", "total"]
    assert found.table.loc["up", ["samples", "wins_a", "wins_b", "ties"]].tolist() == [3, 2, 1, 0]
    assert "most" not in found.table
    pairs = found.pairs[found.pairs["metric"] == "up"].set_index("sample")
    assert list(pairs.index) == list(VALUES_A)
    assert pairs["identity"].tolist() == ["a", "a", "b", "b"]
    assert pairs["a_minus_b"].tolist()[:3] == [0.25, 0.5, -0.25]
    assert pairs["b"].isna().tolist() == [False, False, False, True]


def test_swapping_the_runs_swaps_the_sides(make):
    one, two = make("one", _many(VALUES_A)), make("two", _many(VALUES_B))
    for here, there in zip(compare(one, two).metrics, compare(two, one).metrics, strict=True):
        assert here.difference == pytest.approx(-there.difference)
        assert (here.low, here.high) == (pytest.approx(-there.high), pytest.approx(-there.low))
        assert here.chance == pytest.approx(there.chance)
        assert (here.wins_a, here.wins_b, here.only_a) == (there.wins_b, there.wins_a, there.only_b)


def test_a_run_equals_itself(make):
    one = make("one", _many(VALUES_A), corpus=7.0)
    found = compare(one, one)
    for metric in found.metrics:
        assert (metric.difference, metric.low, metric.high, metric.clear) == (0.0, 0.0, 0.0, False)
        assert metric.ties == metric.samples
        assert metric.most == ()
    assert found.corpus[0].difference == 0.0


def test_a_metric_of_the_whole_submission_has_a_difference_but_no_interval(make):
    found = compare(make("one", VALUES_A, corpus=7.0), make("two", VALUES_B, corpus=9.5)).corpus[0]
    assert (found.a, found.b, found.difference) == (7.0, 9.5, -2.5)


def test_many_metrics_are_corrected_after_holm(make):
    """Six identities, the same difference on all of them but for one metric that is noise."""
    values = {f"{name}/1": (1.0 + place / 10, 2.0, float(place % 2)) for place, name in enumerate("abcdef")}
    other = {f"{name}/1": (1.0, 2.0, 0.5) for name in "abcdef"}
    up, down, size, total = compare(make("one", values), make("two", other)).metrics
    alone = stats.ttest_1samp([place / 10 for place in range(6)], 0).pvalue
    assert up.chance == pytest.approx(min(4 * alone, 1.0))
    assert total.chance == pytest.approx(up.chance)
    assert 0.02 < alone < 0.05 < 4 * alone
    assert up.low > 0, "the interval stands for itself"
    assert not up.clear, "one of four such differences is no surprise"
    assert (down.chance, size.clear) == (1.0, False)


def test_samples_of_one_run_only_are_left_out(make):
    found = compare(make("one", VALUES_A), make("two", {"b/1": VALUES_B["b/1"], "c/1": (1.0, 1.0, 1.0)}))
    assert (found.samples, found.a.samples, found.b.samples) == (1, 4, 2)
    assert found.metrics[0].difference == -0.25
    assert found.metrics[0].low is None, "one identity has no interval"


def test_runs_without_a_common_sample_are_refused(make):
    with pytest.raises(RunError, match="no sample in common"):
        compare(make("one", VALUES_A), make("two", {"c/1": (1.0, 1.0, 1.0)}))


def test_runs_that_do_not_compare_are_refused_naming_the_field_unless_told_otherwise(make):
    one, two = make("one", VALUES_A), make("two", VALUES_B, sha256="f" * 64)
    with pytest.raises(RunError, match=r"protocol: lite .*000000.* there, lite .*ffffff.* here") as caught:
        compare(one, two)
    assert "--anyway" in caught.value.hint
    found = compare(one, two, anyway=True)
    assert list(found.not_comparable) == ["protocol"]
    assert found.metrics == compare(one, make("same", VALUES_B)).metrics


def test_the_command_prints_a_table_or_json(make, command):
    one = make("one", VALUES_A, corpus=7.0, notice="Mind this.")
    two = make("two", VALUES_B, corpus=9.5, notice="Mind this.")
    table = command("compare", one.folder.path, two.folder.path, COLUMNS="80")
    assert table.returncode == 0, table.stderr
    assert table.stderr == ""
    words = " ".join(table.stdout.split())
    assert "up ↑ 0.5000 0.3333 +0.1667 – 2/1/0" in words
    assert "size 1.0000 2.0000 -1.0000 – –" in words
    assert INTERVAL_TITLE in words
    assert "2 identities: too few for intervals" in words
    assert "up: 1 samples have a value in A only, 0 in B only." in words
    assert "fid ↓ of the whole submission: A 7.0000, B 9.5000, A − B -2.5000; no interval" in words
    assert words.count("Mind this.") == 1
    assert all(
        len(line) <= 80 for line in table.stdout.splitlines() if str(one.folder.path.parent) not in line
    )
    as_json = command("compare", one.folder.path, two.folder.path, "--json", "--most", "1")
    assert as_json.returncode == 0, as_json.stderr
    found = json.loads(as_json.stdout)
    assert found["metrics"][0]["most"] == [{"sample": "a/2", "a": 0.75, "b": 0.25}]
    assert found["metrics"][2]["wins_a"] is None


def test_the_command_refuses_or_shouts(make, command):
    one, two = make("one", VALUES_A), make("two", VALUES_B, sha256="f" * 64)
    refused = command("compare", one.folder.path, two.folder.path)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "protocol" in refused.stderr
    assert "ipvg-eval rescore" in refused.stderr
    anyway = command("compare", one.folder.path, two.folder.path, "--anyway")
    assert anyway.returncode == 0
    assert "THESE RUNS DO NOT COMPARE" in anyway.stderr
    assert "NOT COMPARABLE: protocol differ" in anyway.stdout
    shouted = command("compare", one.folder.path, two.folder.path, "--anyway", "--json")
    assert list(json.loads(shouted.stdout)["not_comparable"]) == ["protocol"]
    assert command("compare", one.folder.path, "nowhere").returncode == 2


def test_no_star_below_the_fewest_identities(make, command):
    """A difference of 0.9 in every sample: as clear as can be, but for two identities only."""
    names = [f"{identity}/{take}" for identity in "ab" for take in range(8)]
    one = make("one", dict.fromkeys(names, (0.95, 1.0, 1.0))).folder.path
    two = make("two", dict.fromkeys(names, (0.05, 9.0, 1.0))).folder.path
    shown = command("compare", one, two)
    assert shown.returncode == 0, shown.stderr
    assert re.search(r"[0-9]\s", shown.stdout)
    assert not re.search(r"[0-9]\*", shown.stdout), "a number has a star"
    found = json.loads(command("compare", one, two, "--json").stdout)
    assert [metric["clear"] for metric in found["metrics"]] == [False] * len(found["metrics"])
    assert {metric["chance"] for metric in found["metrics"]} == {None}
