"""The exclusion rule, and settings that are not understood."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from ipvg_eval.leaderboard.study import StudyError, read_study_config, simulated_exclusion
from ipvg_eval.leaderboard.study.exclusion import CheckCounts, as_many_or_more, too_many


@pytest.mark.parametrize(
    ("corrupted", "repeats", "out"),
    [
        ((0, 0), (0, 0), False),
        ((1, 1), (0, 0), False),  # one answer is too few to tell: 0.05
        ((2, 2), (0, 0), True),  # 0.05^2 = 0.0025
        ((2, 1), (0, 0), False),
        ((4, 2), (0, 0), False),  # 0.0140
        ((4, 3), (0, 0), True),
        ((4, 0), (6, 6), False),  # 1 / 64
        ((4, 0), (7, 7), True),  # 1 / 128
        ((4, 0), (9, 8), False),  # 10 / 512
    ],
)
def test_who_is_excluded(corrupted, repeats, out):
    config = read_study_config(None)
    kinds = {
        kind: CheckCounts(answered=answered, failed=failed)
        for kind, (answered, failed) in {"corrupted": corrupted, "repeat": repeats}.items()
    }
    assert too_many(kinds, config) is out


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.5])
def test_the_tail_is_the_binomial_distributions(rate):
    for answered in range(30):
        for failed in range(answered + 1):
            expected = binom.sf(failed - 1, answered, rate)
            assert as_many_or_more(answered, failed, rate) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("checks", [(2, 0), (4, 4), (12, 12)])
def test_the_simulated_rates_are_the_rules(checks):
    """Against the exact probabilities that follow from the rule; 4,000 draws, so five standard errors."""
    config = read_study_config(None)
    limit = {"corrupted": 0.05, "repeat": 0.5}

    def kept(fails: dict[str, float]) -> float:
        both = 1.0
        for kind, count in zip(("corrupted", "repeat"), checks, strict=True):
            bad = [k for k in range(count + 1) if binom.sf(k - 1, count, limit[kind]) < 0.01]
            both *= 1 - sum(binom.pmf(k, count, fails[kind]) for k in bad)
        return both

    seen = simulated_exclusion(config, *checks)
    for rate, fails in (
        (seen.honest, limit),
        (seen.random, {"corrupted": 2 / 3, "repeat": 2 / 9}),
        (seen.one_sided, {"corrupted": 0.5, "repeat": 1.0}),
    ):
        exact = 1 - kept(fails)
        assert abs(rate - exact) <= 5 * (exact * (1 - exact) / 4000) ** 0.5 + 1e-9
    assert seen.honest <= 0.02
    if checks == (12, 12):
        assert seen.random > 0.99
        assert seen.one_sided == 1.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("annotator: 3", "unknown key 'annotator'"),
        ("checks: {repeat: 3}", "unknown key 'checks.repeat'"),
        ("questions: [overal]", "Did you mean 'overall'"),
        ("questions: [overall, overall]", "asked twice"),
        ("questions: []", "questions"),
        ("questions: [{name: 'a b', text: x}]", "questions"),
        ("share: 0", "share"),
        ("missing: draw", "missing"),
        ("title: ''", "title"),
        ("- a\n- b", "settings"),
        ("a: [", "cannot be read"),
    ],
)
def test_settings_that_are_not_understood(tmp_path, text, said):
    (tmp_path / "study.yaml").write_text(text)
    with pytest.raises(StudyError) as error:
        read_study_config(tmp_path / "study.yaml")
    assert said in f"{error.value} {error.value.hint}"
    assert error.value.exit_code == 2


def test_settings_from_a_file_and_the_command_line(tmp_path):
    (tmp_path / "study.yaml").write_text(
        "title: Mine\nquestions: [identity, {name: hair, text: 'Whose hair?'}]\n"
    )
    config = read_study_config(tmp_path / "study.yaml", seed=4)
    assert (config.title, config.seed) == ("Mine", 4)
    assert [question.name for question in config.questions] == ["identity", "hair"]
    assert config.questions[1].text == "Whose hair?"
