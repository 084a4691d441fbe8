"""A study's folder: complete or not there, the same for the same seed, and without names."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from growth import growth
from traces import TRACES, holds

from ipvg_eval.core.errors import UsageError
from ipvg_eval.leaderboard.study import (
    StudyError,
    clips,
    create_study,
    new_annotators,
    open_study,
    read_study_config,
)

TEAMS = ("AxolotlWorks", "PangolinLab", "QuokkaVision")


def rows(path: Path, query: str) -> list[tuple]:
    with contextlib.closing(sqlite3.connect(path / "study.db")) as connection:
        return connection.execute(query).fetchall()


def plan(path: Path) -> list[tuple]:
    return rows(
        path,
        "SELECT i.sheet, i.position, i.kind, l.sample, l.team, l.corrupted, r.team, r.corrupted "
        "FROM item i JOIN clip l ON l.id = i.left_clip JOIN clip r ON r.id = i.right_clip ORDER BY 1, 2",
    )


def test_all_pairs_are_dealt_and_the_overlap_is_seen_by_several(make_study):
    created = make_study(annotators=4, overlap={"share": 0.25, "annotators": 3})
    assert (created.comparisons, created.showings, created.sheets) == (12, 9 + 3 * 3, 4)
    pairs = Counter(
        (sample, *sorted((left, right)))
        for _, _, kind, sample, left, _, right, _ in plan(created.path)
        if kind == "pair"
    )
    assert len(pairs) == 12
    assert sorted(pairs.values()) == [1] * 9 + [3] * 3


def test_nothing_a_browser_can_get_names_a_team_or_a_file(make_study, samples):
    created = make_study(annotators=2)
    media = sorted((created.path / "media").iterdir())
    assert len(media) >= 12 + 2  # clips and pictures
    assert all(len(path.name) == 32 and set(path.name) <= set("0123456789abcdef") for path in media)
    names = [*TEAMS, *(sample.id for sample in samples), "prompt1", "id001", "person"]
    for path in media:
        assert not holds(path, [*TRACES, *(name.encode() for name in names)])
    assert sorted(path.name for path in created.path.iterdir()) == ["media", "study.db"]


def test_secrets_are_kept_as_hashes_only(make_study):
    created = make_study(annotators=2)
    token = new_annotators(open_study(created.path), 1)[0].token
    content = b"".join(path.read_bytes() for path in created.path.glob("study.db*"))
    for secret in (created.admin_secret, token):
        assert len(secret) == 32  # 24 random bytes
        assert secret.encode() not in content


def test_the_seed_decides_the_plan_and_nothing_else_does(teams, samples, tmp_path):
    def made(name: str, seed: int, order: int) -> Path:
        config = read_study_config(None, seed=seed, annotators=3)
        return create_study(teams[::order], samples, config, tmp_path / name, workers=order + 2).path

    first, again, other = made("first", 7, 1), made("again", 7, -1), made("other", 8, 1)
    assert plan(first) == plan(again)
    assert plan(first) != plan(other)
    names = [{path.name for path in (folder / "media").iterdir()} for folder in (first, again)]
    assert not names[0] & names[1]


def test_a_share_of_the_samples(make_study):
    created = make_study(share=0.5)
    used = {sample for _, _, _, sample, *_ in plan(created.path)}
    assert len(used) == 2
    assert {sample.split("/")[0] for sample in used} == {"id001", "id002"}


def test_a_missing_or_broken_video_leaves_its_comparisons_out(teams, samples, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    first = dataclasses.replace(
        teams[0],
        videos={
            **{name: opens for name, opens in teams[0].videos.items() if name != samples[0].id},
            samples[1].id: lambda: contextlib.nullcontext(broken),
        },
        absent={samples[0].id: "nothing was handed in"},
    )
    created = create_study([first, *teams[1:]], samples, read_study_config(None), tmp_path / "study")
    assert created.comparisons == 12 - 4
    assert [(item.task.sample, item.without, item.winner) for item in created.left_out] == [
        (sample.id, ("QuokkaVision",), None) for sample in samples[:2] for _ in range(2)
    ]
    assert "nothing was handed in" in created.left_out[0].reason
    assert "does not play" in created.left_out[2].reason
    assert len(list((created.path / "media").iterdir())) == len(
        rows(created.path, "SELECT media FROM clip UNION SELECT media FROM picture")
    )


def test_an_existing_folder_is_left_alone(make_study, tmp_path):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "precious").write_text("mine")
    with pytest.raises(StudyError, match="already there"):
        make_study()
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["precious"]


def test_nothing_to_compare_leaves_nothing_behind(teams, samples, tmp_path):
    empty = [dataclasses.replace(team, videos={}) for team in teams]
    with pytest.raises(StudyError, match="no comparison is left"):
        create_study(empty, samples, read_study_config(None), tmp_path / "new" / "study")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("bad", ["one team", "twice", "no picture"])
def test_teams_and_samples_that_make_no_study(teams, samples, tmp_path, bad):
    if bad == "one team":
        teams = teams[:1]
    elif bad == "twice":
        teams = [*teams, teams[0]]
    else:
        samples = [dataclasses.replace(samples[0], references=())]
    with pytest.raises(StudyError) as error:
        create_study(teams, samples, read_study_config(None), tmp_path / "study")
    assert error.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_killed_create_leaves_no_study_and_the_next_goes_on(submissions, make_study, tmp_path):
    program = (
        "import contextlib, sys, time\n"
        "from pathlib import Path\n"
        "from ipvg_eval.leaderboard.study import *\n"
        "folder, picture, out = map(Path, sys.argv[1:])\n"
        "sample = StudySample(id='x', identity='x', prompt='x', references=(StudyPicture(path=picture),))\n"
        "clips = sorted(folder.glob('*.mp4'))\n"
        "def team(n):\n"
        "    clip = contextlib.nullcontext(clips[n])\n"
        "    return StudyTeam(name=f't{n}', videos={'x': lambda: clip}, absent={})\n"
        "teams = [team(0), team(1)]\n"
        "def hang(done, total):\n"
        "    print('at work', flush=True)\n"
        "    time.sleep(60)\n"
        "create_study(teams, [sample], read_study_config(None), out, on_clip=hang)\n"
    )
    picture = Path(__file__).resolve().parents[3] / "fixtures" / "testset" / "id001" / "image.png"
    out = tmp_path / "study"
    command = [sys.executable, "-c", program, str(submissions), str(picture), str(out)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"at work\n"
        with pytest.raises(StudyError, match="another process"):
            make_study()
        process.send_signal(signal.SIGKILL)
    assert not out.exists()
    with pytest.raises(UsageError, match="no study here"):
        open_study(out)
    created = make_study()
    assert created.comparisons == 12
    assert [path.name for path in tmp_path.iterdir()] == ["study"]


class Counted:
    """The clip tools, counting what they do, and failing at one clip if asked."""

    def __init__(self, fail_at: int = 10**9) -> None:
        self.looked = self.encoded = 0
        self.fail_at = fail_at

    def look(self, source):
        self.looked += 1
        return clips.look(source)

    def encode(self, source, target, shape, spoil=None):
        self.encoded += 1
        if self.encoded == self.fail_at:
            target.write_bytes(b"half a clip")
            raise OSError(28, "No space left on device")
        return clips.encode(source, target, shape, spoil)

    def pad(self, source, target, sizes):
        clips.pad(source, target, sizes)


def test_an_interrupted_create_goes_on_where_it_stopped(teams, samples, tmp_path):
    config = read_study_config(None, annotators=2, checks={"max_share": 0.5})
    first, second, whole = Counted(fail_at=6), Counted(), Counted()
    with pytest.raises(StudyError, match="No space left") as error:
        create_study(teams, samples, config, tmp_path / "study", tools=first, workers=1)
    assert "goes on" in str(error.value.hint)
    created = create_study(teams, samples, config, tmp_path / "study", tools=second, workers=1)
    other = create_study(teams, samples, config, tmp_path / "other", tools=whole, workers=2)
    assert (first.looked, second.looked, whole.looked) == (12, 0, 12)
    assert first.encoded - 1 + second.encoded == whole.encoded > 12
    assert plan(created.path) == plan(other.path)
    contents = [
        sorted(path.read_bytes() for path in (made.path / "media").iterdir()) for made in (created, other)
    ]
    assert contents[0] == contents[1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "study"]


def test_a_study_of_the_first_version_is_refused_with_the_reason(make_study):
    created = make_study(annotators=2)
    with contextlib.closing(sqlite3.connect(created.path / "study.db")) as connection:
        connection.execute("PRAGMA user_version = 1")
    with pytest.raises(StudyError, match="older version of the program") as error:
        open_study(created.path)
    assert "export it with the version that made it" in str(error.value.hint)


@pytest.mark.parametrize("damage", ["version", "zeros", "absent", "empty"])
def test_a_database_that_cannot_be_used_says_so(make_study, damage):
    created = make_study(annotators=2)
    database = created.path / "study.db"
    if damage == "version":
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA user_version = 99")
    elif damage == "zeros":
        database.write_bytes(bytes(len(database.read_bytes())))
    elif damage == "empty":
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.execute("DELETE FROM study")
            connection.commit()
    else:
        database.unlink()
    with pytest.raises((StudyError, UsageError)) as error:
        open_study(created.path)
    assert error.value.hint


def test_the_database_writes_ahead_and_is_private(make_study):
    created = make_study(annotators=2)
    assert rows(created.path, "PRAGMA journal_mode") == [("wal",)]
    assert (created.path / "study.db").stat().st_mode & 0o077 == 0
    with open_study(created.path).writing() as writer:
        assert writer.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_a_full_or_read_only_place_is_a_clear_error(make_study, monkeypatch):
    def no_room(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr(Path, "mkdir", no_room)
    with pytest.raises(StudyError, match="No space left"):
        make_study()


def test_the_time_of_planning_grows_with_the_samples_and_no_faster():
    from ipvg_eval.leaderboard.study.plan import all_pairs, deal, random_stream, take_sides

    def plan(samples):
        rng = random_stream(0, "plan")
        pairs = all_pairs([f"s{n}" for n in range(samples)], TEAMS)
        take_sides(deal(dict.fromkeys(pairs, 1), 30, rng), rng)

    assert growth(plan, 100, 1000, tries=2) < 30
