"""One table of exit codes: the code, the documentation, every error class, every command."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import shutil
import zipfile
from pathlib import Path

import pytest

import ipvg_eval
from ipvg_eval.cli.app import main
from ipvg_eval.cli.commands import COMMANDS
from ipvg_eval.core.errors import ExitCode, IpvgError

ROOT = Path(__file__).resolve().parents[3]
UNAVAILABLE = {
    "BrokenPlugin", "DeviceUnavailable", "DoesNotFit", "Interrupted", "ModelsMissing", "NoSpace", "NotThere",
    "PullFailed", "RewriterUnusable", "SystemUnusable", "Unavailable", "WeightsMissing", "WrongHash",
}  # fmt: skip
USAGE = {
    "ChallengeError", "CostCapReached", "NotARun", "OutputInUse", "OutputUnusable", "ProtocolError",
    "RunUnwritable", "SettingsError", "SiteError", "StudyConfigError", "TestSetError", "UsageError",
}  # fmt: skip
SOME_FAILED = {"SameFailureAgain"}
INVALID = {
    "GeneratorError", "IpvgError", "KeptMissing", "LeaderboardError", "MemberError", "MetricsError",
    "RunError", "RunsError", "SampleFailed", "StudyError", "SubmissionError", "UnreadablePicture",
    "VideoError", "VotesError",
}  # fmt: skip


def all_error_classes() -> set[type[IpvgError]]:
    for module in pkgutil.walk_packages(ipvg_eval.__path__, "ipvg_eval."):
        if module.name.rpartition(".")[2] == "errors" or module.name in (
            "ipvg_eval.core.run_folder",
            "ipvg_eval.submission.member",
            "ipvg_eval.metrics.rescoring",
        ):
            importlib.import_module(module.name)
    found, left = set(), [IpvgError]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += one.__subclasses__()
    return {one for one in found if one.__module__.startswith("ipvg_eval")}


def test_every_error_class_is_in_the_table():
    tables = (
        (UNAVAILABLE, ExitCode.UNAVAILABLE),
        (USAGE, ExitCode.USAGE),
        (SOME_FAILED, ExitCode.SOME_FAILED),
        (INVALID, ExitCode.INVALID),
    )
    expected = {name: code for names, code in tables for name in names}
    for one in all_error_classes():
        inherited = next(expected[base.__name__] for base in one.__mro__ if base.__name__ in expected)
        assert one.exit_code == inherited, one
    assert expected.keys() <= {one.__name__ for one in all_error_classes()}


def test_the_documentation_has_the_same_table():
    rows = re.findall(r"^\| (\d+) \| (\w+) \|", (ROOT / "docs/exit-codes.md").read_text(), re.MULTILINE)
    assert {name.upper(): int(code) for code, name in rows} == {code.name: code.value for code in ExitCode}


@pytest.fixture
def ran(tmp_path, monkeypatch, capsys):
    """Runs the command in this process and an empty folder: exit code, stdout, stderr."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path / "here"))

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def places(fixtures, careful, tmp_path):
    good = tmp_path / "facial_results.zip"
    with zipfile.ZipFile(good, "w") as file:
        for video in sorted(careful.rglob("*.mp4")):
            file.write(video, video.relative_to(careful).as_posix())
    (tmp_path / "a.txt").write_text("in the way")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "read me.txt").write_text("nothing here")
    (tmp_path / "badset" / "id001").mkdir(parents=True)
    (tmp_path / "badset" / "id001" / "prompt1.txt").write_text("no picture")
    run = Path(shutil.copytree(ROOT / "tests/golden/runs/careful", tmp_path / "run"))
    changed = Path(shutil.copytree(run, tmp_path / "changed"))
    (changed / "summary.md").write_text("better")
    (tmp_path / "nothing.csv").touch()
    lost = Path(shutil.copytree(run, tmp_path / "lost"))
    (lost / "run.json").unlink()
    (tmp_path / "votes.csv").write_text("sample,team_a\n1,x\n")
    return {
        "good": good, "careful": careful, "testset": fixtures / "testset", "tmp": tmp_path, "run": run,
        "changed": changed, "badrun": lost, "votes": ROOT / "fixtures/votes.csv",
        "video": careful / "id001/prompt1.mp4", "runs": ROOT / "tests/golden/runs",
    }  # fmt: skip


CASES = [
    ("doctor --protocol nope", 2),
    ("doctor --protocol nope --json", 2),
    ("validate {good} --testset {testset} --json", 0),
    ("validate {careful} --testset nosuch --json", 2),
    ("validate {good} --testset {tmp}/badset --json", 2),
    ("validate {tmp}/empty --testset {testset} --json", 1),
    ("validate {tmp}/a.txt --json", 1),
    ("validate nosuch --json", 2),
    ("validate {good} --track faces --json", 2),
    ("validate --json", 2),
    ("score {careful} --testset {testset} --protocol lite --out {tmp}/a.txt --json", 2),
    ("score {careful} --testset {testset} --protocol lite --device gpu0 --json", 2),
    ("score {careful} --testset {testset} --protocol lite --device cuda:99 --json", 3),
    ("score {careful} --testset {testset} --protocol ipvg --json", 3),
    ("score {tmp}/empty --testset {testset} --protocol lite --metrics dynamic_degree_lite --json", 1),
    ("score {careful} --testset nosuch --json", 2),
    ("measure nosuch.mp4 --protocol lite --json", 2),
    ("measure {careful}/id001/prompt1.mp4 --protocol nope --json", 2),
    ("measure {tmp}/a.txt --protocol lite --metrics lite_sharpness --json", 4),
    ("measure --pairs {tmp}/votes.csv --json", 2),
    ("report nosuch", 2),
    ("report {careful}", 2),
    ("rescore nosuch --protocol lite --json", 2),
    ("rescore {run} --protocol nope --json", 2),
    ("compare {run} nosuch --json", 2),
    ("compare {runs} {run} --json", 2),
    ("verify {careful} --json", 2),
    ("verify nosuch --json", 2),
    ("verify {run} --recompute 1 --json", 2),
    ("verify {changed} --json", 1),
    ("sign {careful} --key nosuch", 2),
    ("agree {run} --votes {tmp}/votes.csv --json", 1),
    ("audit nosuch --json", 2),
    ("leaderboard {runs} --json", 2),
    ("leaderboard nosuch --json", 2),
    ("leaderboard {run} --config nosuch.yaml --json", 2),
    ("elo {tmp}/votes.csv --json", 1),
    ("elo nosuch.csv --json", 2),
    ("select nosuch --by overall --out x --submission {careful}", 2),
    ("generate nosuch --system tiny --out x", 2),
    ("study serve nosuch", 2),
    ("study create --out x --runs nosuch", 2),
    ("protocols show nope", 2),
    ("timeline show nosuch.txt --json", 2),
    ("timeline show walks --json", 1),
    ("timeline show {testset} --json", 2),
    ("timeline calibrate nosuch", 2),
    ("validate {run} --json", 2),
    ("score {run} --testset {testset} --protocol lite --json", 2),
    ("score {careful} --testset {testset} --protocol nosuch.yaml --json", 2),
    ("score {careful} --testset {testset} --protocol lite --metrics lite_motion --out {run} --json", 2),
    ("rescore {run} --protocol lite --out {careful} --json", 2),
    ("elo {testset} --json", 2),
    ("sign {run} --key nosuch", 2),
    ("verify {run} --public-key nosuch --json", 2),
    ("keygen {tmp}/a.txt", 2),
    ("measure nosuch --protocol lite", 2),
    ("measure {tmp}/empty --protocol lite --json", 2),
    ("weights path nope", 2),
    ("weights pull", 2),
    ("doctor --device gpu0 --json", 2),
    ("doctor --device cuda:99 --json", 3),
    ("validate {careful} --decoder-seconds inf --json", 2),
    ("validate {careful} --decoder-seconds nan --json", 2),
    ("validate {careful} --decoder-memory 99999999999 --json", 2),
    ("validate https:// --json", 2),
    ("validate s3:// --json", 2),
    ("report {run} --out {tmp}/empty", 2),
    ("score {careful} --testset {testset} --protocol lite --metrics lite_motion --out {tmp} --json", 2),
    ("score {careful} --testset {testset} --protocol lite --metrics lite_motion --out {badrun} --json", 2),
    ("audit {tmp}/empty --json", 1),
    ("measure --pairs {tmp}/a.txt --json", 2),
    ("measure --pairs {tmp}/nothing.csv --json", 2),
    ("new-metric ../x", 2),
    ("verify {run} --recompute 1 --seed -5 --submission {careful} --json", 2),
    ("score {careful} --testset {testset} --protocol lite --decoders 100000 --json", 2),
    ("measure https://example.org/x.mp4 --protocol lite --json", 2),
    ("measure {careful} --protocol lite --csv {tmp}/empty --json", 2),
    ("measure {careful} --protocol lite --parquet {good} --json", 2),
    ("measure {careful} --protocol lite --csv {tmp}/a.txt/x.csv --json", 2),
    ("report {run} --out {good}", 2),
    ("timeline calibrate {tmp}/empty", 2),
    ("view nosuch --export {tmp}/pages", 2),
    ("view {careful} --export {tmp}/pages", 2),
    ("view {run} --export {tmp}", 2),
    ("new-metric clip_score", 2),
]


@pytest.mark.parametrize(("line", "code"), CASES)
def test_every_command_ends_with_the_code_of_the_table(ran, places, line, code):
    ended, out, err = ran(*(word.format(**places) for word in line.split()))
    assert ended == code, err + out
    if "--json" in line:
        printed = json.loads(out)
        if "error" in printed:
            assert printed["error"]["exit_code"] == code
            assert printed["error"]["message"]


def test_every_command_is_tried_above():
    tried = {line.split()[0] for line, _ in CASES}
    names = set(COMMANDS)
    assert names == tried


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("verify {careful}", "holds videos, as a submission does"),
        ("verify nosuch", "does not exist"),
        ("validate {run}", "this is a run folder"),
        ("audit {testset}/id001/image.png", "this is a PNG picture, not a zip"),
        ("sign {run} --key nosuch", "nosuch: does not exist"),
        ("sign {run} --key {run}/run.json", "it is no PEM file"),
        ("elo {testset}", "this is a folder"),
        ("score {careful} --testset {testset} --protocol nosuch.yaml", "nosuch.yaml: does not exist"),
        ("score {careful} --testset {testset} --metrics lite_motion --protocol lite --out {run}", "--out"),
        ("leaderboard {runs}", "runs/*"),
        ("protocols show nope", "Known: consisid"),
        ("protocols show LITE", "'lite'"),
        ("timeline show nosuch.txt", "does not exist"),
        ("score {careful} --testset {testset} --protocol ipvg", "weights pull --protocol ipvg"),
        (
            "score {careful} --testset {testset} --protocol lite --metrics lite_noise --out {tmp}",
            "is no run",
        ),
        ("measure {careful} --metrics lite_motion", "Protocol lite has it: --protocol lite."),
        ("leaderboard {run} --config nosuch.yaml", "nosuch.yaml: this file cannot be read (No such file"),
        ("new-metric skin+tone", "skin-tone"),
        ("generate {testset} --system nosuch.txt --out x", "must end in .yaml"),
    ],
)
def test_messages_say_what_is_there_and_what_to_do(ran, places, line, says):
    _, _, err = ran(*(word.format(**places) for word in line.split()))
    assert says in err
    assert "Score again" not in err


@pytest.mark.parametrize(
    "words",
    [
        ("validate", ""),
        ("validate", "{good}", "--testset", ""),
        ("validate", "{good}", "--testset="),
        ("score", "{careful}", "--out", ""),
        ("score", "{careful}", "--team", ""),
        ("audit", "", "--json"),
        ("leaderboard", "{run}", ""),
    ],
)
def test_an_empty_word_is_a_variable_that_is_not_set_and_no_folder(ran, places, words):
    code, out, err = ran(*(word.format(**places) for word in words))
    assert code == 2
    assert "Is a variable of the shell not set?" in err
    assert ("--json" in words) == bool(out)


LONG = "a" * 300
TOO_LONG = [
    "validate {long}.zip", "validate {good} --testset {long}",
    "score {long} --testset {testset} --protocol lite",
    "audit {long} --json", "measure {long}.mp4", "measure {video} --reference {long}.png --protocol lite",
    "report {long}", "compare {run} {long}", "verify {long}", "rescore {long} --protocol lite",
    "leaderboard {long}", "leaderboard {run} --votes {long} --unofficial", "agree {long} --votes {votes}",
    "elo {long}", "elo {votes} --identities {long}", "measure --pairs {long}.csv",
    "score {good} --testset={long} --protocol lite",
]  # fmt: skip


@pytest.mark.parametrize("line", TOO_LONG)
def test_a_path_that_no_system_takes_is_a_wrong_path(ran, places, line):
    code, out, err = ran(*(word.format(**places, long=LONG) for word in line.split()))
    assert code == 2, out + err
    assert LONG in err
    assert "File name too long" in err
    assert ("--json" in line) == (out != "")


def test_a_team_has_a_name(ran, places):
    words = ("--testset", places["testset"], "--protocol", "lite", "--metrics", "lite_noise", "--team", "  ")
    code, _, err = ran("score", places["careful"], *words)
    assert (code, "--team names nobody" in err) == (2, True)


def test_an_empty_prompt_is_a_prompt(ran):
    _, _, err = ran("measure", "nosuch.mp4", "--protocol", "lite", "--prompt", "")
    assert "nosuch.mp4" in err


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("format", 99, "another version of ipvg-eval wrote it"),
        ("team", None, "team: "),
        ("specs", [{"name": 3}], "specs.0."),
    ],
)
def test_a_damaged_run_json_says_where(ran, places, field, value, says):
    path = places["run"] / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    code, _, err = ran("report", places["run"])
    assert code == 1
    assert says in err


def test_the_environment_names_the_test_set_for_validate_too(ran, places, monkeypatch):
    monkeypatch.setenv("IPVG_TESTSET", str(places["testset"]))
    code, out, _ = ran("validate", places["good"], "--json")
    assert code == 0, out
    assert json.loads(out)["shape_assumed"] is False
    monkeypatch.setenv("IPVG_TESTSET", "nosuch")
    code, _, err = ran("validate", places["good"])
    assert code == 2
    assert "IPVG_TESTSET" in err


@pytest.mark.parametrize(
    ("raised", "code"), [(RuntimeError("a fault of ours"), 70), (KeyboardInterrupt(), 130)]
)
def test_what_is_nobody_s_error_has_its_code_too(ran, places, monkeypatch, raised, code):
    def fail(*_, **__):
        raise raised

    monkeypatch.setattr("ipvg_eval.validation.validate", fail)
    ended, out, err = ran("validate", places["careful"], "--testset", places["testset"], "--json")
    assert ended == code
    if code == 70:
        error = json.loads(out)["error"]
        assert error["exit_code"] == 70
        assert "a fault of ours" in error["message"]
        assert "--debug" in error["hint"]
        assert "Traceback" not in err
