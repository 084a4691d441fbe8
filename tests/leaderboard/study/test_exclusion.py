"""The exclusion rule, and settings that are not understood."""

from __future__ import annotations

import pytest

from ipvg_eval.leaderboard.study import StudyError, read_study_config
from ipvg_eval.leaderboard.study.exclusion import CheckCounts, too_many


@pytest.mark.parametrize(
    ("corrupted", "repeats", "out"),
    [
        ((0, 0), (0, 0), False),
        ((1, 1), (0, 0), False),  # one answer is too few to tell
        ((2, 2), (0, 0), True),
        ((3, 1), (0, 0), False),  # 33 %
        ((4, 2), (0, 0), True),
        ((4, 0), (2, 1), False),
        ((4, 0), (5, 3), False),  # 60 % is allowed
        ((4, 0), (3, 2), True),
    ],
)
def test_who_is_excluded(corrupted, repeats, out):
    checks = {"max_failed_corrupted": 0.34, "max_failed_repeats": 0.6, "min_answered": 2}
    config = read_study_config(None, checks=checks)
    kinds = {
        kind: CheckCounts(answered=answered, failed=failed)
        for kind, (answered, failed) in {"corrupted": corrupted, "repeat": repeats}.items()
    }
    assert too_many(kinds, config) is out


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
