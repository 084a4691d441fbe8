from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipvg_eval.core.file_names import file_name, folder_name, suits_every_system

ANY = st.text(st.characters(), max_size=80)
CLOSE = st.text("aA-b./ é0", max_size=12)


@settings(max_examples=300, deadline=None)
@given(ANY | CLOSE)
@example("..")
@example("")
@example("CON")
@example("x" * 500)
def test_a_name_is_safe_in_every_folder(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", file_name(name))
    assert len(file_name(name)) <= 60


@settings(max_examples=300, deadline=None)
@given(CLOSE, CLOSE)
@example("Team A", "team a")
@example("team-a", "team a")
def test_different_names_have_different_files(one: str, other: str) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


@settings(deadline=None)
@given(CLOSE)
def test_the_file_of_one_name_cannot_be_taken_by_another(name: str) -> None:
    assert name == file_name(name) or file_name(file_name(name)) != file_name(name)


def test_simple_names_stay_readable() -> None:
    assert file_name("ghl") == "ghl"
    assert file_name("team-2") == "team-2"
    assert file_name("ghl (PKUVideo)").startswith("ghl-pkuvideo-")
    assert file_name("Équipe").startswith("equipe-")


@settings(max_examples=300, deadline=None)
@given(ANY | CLOSE, CLOSE)
@example("con", "nul")
@example("COM1.txt", "lpt¹")
@example("名" * 37, "a" * 300)
@example("a\ud800", "b")
def test_every_name_suits_every_system_and_case_never_joins_two(one: str, other: str) -> None:
    for name in (one, other):
        assert suits_every_system(file_name(name))
        assert suits_every_system(folder_name(name))
        assert len(file_name(name) + "-24.webp") < 80
        assert len(folder_name(name).encode()) <= 80
    assert (file_name(one).lower() == file_name(other).lower()) == (one == other)


def test_a_team_that_is_a_folder_s_name_already_keeps_it() -> None:
    for name in ("Team A", "Müller", "名前", "v1.2 (final)"):
        assert folder_name(name) == name
    for name in ("a/b", "..", "CON", "x" * 300, "a:b", "end.", " a", "a\nb", "\u202etxt"):
        assert folder_name(name) != name
