from __future__ import annotations

from pathlib import Path

import pytest

from ipvg_eval.leaderboard import VotesError
from ipvg_eval.leaderboard.identities import read_identities


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "map.csv"
    path.write_text(text, "utf-8")
    return path


def test_columns_may_come_in_any_order_and_more_samples_are_fine(tmp_path: Path) -> None:
    path = write(tmp_path, "identity,sample\na,1\na,2\nb,3\n")
    assert read_identities(path, samples={"1", "3"}) == {"1": "a", "2": "a", "3": "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sample,face\n1,a\n", "line 1: the columns are sample, face"),
        ("sample,identity\n1,a\n1,b\n", "line 3: sample '1' is there twice"),
        ("sample,identity\n1,\n", "line 2: no identity"),
        ("sample,identity\n,a\n", "line 2: no sample"),
        ("sample,identity\n1,a,b\n", "line 2: 3 fields, the header has 2"),
        ("sample,identity\n2,a\n", "samples without an identity:\n  1"),
        ("", "the file is empty"),
    ],
)
def test_every_flaw_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(VotesError) as caught:
        read_identities(write(tmp_path, text), samples={"1"})
    assert message in str(caught.value)
    assert caught.value.hint
