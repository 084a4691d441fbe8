from __future__ import annotations

from pathlib import Path

import pytest

from ipvg_eval.core.errors import UsageError
from ipvg_eval.testset import find_testset


@pytest.fixture
def places(tmp_path, monkeypatch) -> dict[str, Path]:
    """A submission with a test set beside it, another in the working directory, two more elsewhere."""
    found = {
        "explicit": tmp_path / "given",
        "environment": tmp_path / "variable",
        "beside": tmp_path / "team" / "testset",
        "here": tmp_path / "cwd" / "testset",
    }
    for path in (*found.values(), tmp_path / "team" / "submission"):
        path.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setenv("IPVG_TESTSET", str(found["environment"]))
    return found | {"submission": tmp_path / "team" / "submission"}


def test_order_of_preference(places, monkeypatch):
    submission = places["submission"]
    assert find_testset(places["explicit"], submission) == places["explicit"]
    assert find_testset(None, submission) == places["environment"]
    monkeypatch.setenv("IPVG_TESTSET", "")
    assert find_testset(None, submission) == places["beside"]
    places["beside"].rmdir()
    assert find_testset(None, submission) == places["here"]


def test_error_names_all_three_ways(places, monkeypatch):
    monkeypatch.delenv("IPVG_TESTSET")
    places["beside"].rmdir()
    places["here"].rmdir()
    with pytest.raises(UsageError) as caught:
        find_testset(None, places["submission"])
    text = str(caught.value)
    assert "--testset" in text
    assert "$IPVG_TESTSET" in text
    assert str(places["beside"]) in text
    assert str(places["here"].parent) in text
    assert caught.value.exit_code == 2


def test_submission_given_as_the_working_directory(places, monkeypatch):
    monkeypatch.delenv("IPVG_TESTSET")
    monkeypatch.chdir(places["submission"])
    assert find_testset(None, Path()) == places["beside"]


def test_named_places_must_exist(places, monkeypatch, tmp_path):
    with pytest.raises(UsageError, match="the test set does not exist"):
        find_testset(tmp_path / "nowhere", places["submission"])
    monkeypatch.setenv("IPVG_TESTSET", str(tmp_path / "gone"))
    with pytest.raises(UsageError, match="IPVG_TESTSET"):
        find_testset(None, places["submission"])
