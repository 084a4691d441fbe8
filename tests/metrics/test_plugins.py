"""Evaluators of other packages, as they are found: an installed distribution each, real files on the path."""

from __future__ import annotations

import re
import sys
import textwrap

import numpy as np
import pytest

from ipvg_eval.core.errors import ExitCode
from ipvg_eval.core.measurement import ClipInfo
from ipvg_eval.metrics.errors import MetricsError, ProtocolError, WeightsMissing
from ipvg_eval.metrics.plugins import COLUMNS, BrokenPlugin
from ipvg_eval.metrics.protocols.loading import load_protocol, parse_protocol
from ipvg_eval.metrics.registry import evaluator_class, outside_evaluators
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.target import Target
from ipvg_eval.results.tables import frames_table, samples_table
from ipvg_eval.scoring import Recipe

GOOD = """
from pydantic import BaseModel
from ipvg_eval.core.measurement import Measurement
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.evaluator import Evaluator, EvaluatorOptions

SPEC = dict(name="sight", version=3, higher_is_better=True, bounds=(0.0, 1.0), title="Sight", summary="Seen.",
            source="own")

class Options(EvaluatorOptions):
    frames: int = 2

class Sight(Evaluator[Options]):
    Options = Options
    SPECS = (MetricSpec(**SPEC),)
    BUDGET = "frames"

    def frames(self, clip):
        return range(min(self._options.frames, clip.frame_count))

    def start(self, target, clip):
        return Pass()

class Pass:
    def add(self, indices, frames):
        pass

    def finish(self):
        return [Measurement(name="sight", value=0.5)]
"""
PROTOCOL = """
name: tried
version: 1
title: tried
evaluators:
  - kind: sight
"""
RANGE = "return range(min(self._options.frames, clip.frame_count))"
CLIP = ClipInfo(frame_count=4, width=8, height=8, fps=4.0, duration=1.0, times=(0.0, 0.25, 0.5, 0.75))
TARGET = Target(sample_id="a", references=(), prompt="")


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Gives a function that installs a package: its name, its code and what it registers."""

    def install(code=GOOD, *, package="seeing", kind="sight", version="1.2", attribute="Sight"):
        site, module = tmp_path / package, f"{package}_of_a_test"
        about = site / f"{package}-{version}.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        (about / "entry_points.txt").write_text(f"[ipvg_eval.evaluators]\n{kind} = {module}:{attribute}\n")
        (site / f"{module}.py").write_text(textwrap.dedent(code))
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def test_its_metrics_bear_its_name_and_version(install):
    install()
    [spec] = parse_protocol(PROTOCOL, where="p").specs
    assert spec.package == "seeing 1.2"
    assert spec.label == "Sight (from seeing 1.2)"
    assert evaluator_class("sight").SPECS[0].package == ""


def test_ours_bear_none():
    assert {spec.package for spec in load_protocol("lite").specs} == {""}


def test_nothing_of_it_is_imported_before_it_is_asked_for(install):
    install("raise RuntimeError('imported')")
    load_protocol("lite")
    with pytest.raises(ProtocolError, match="no evaluator is called 'slight'"):
        evaluator_class("slight")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import a_package_nobody_has", "cannot be imported .ModuleNotFoundError: .*a_package_nobody_has"),
        ("raise SystemExit(0)", "cannot be imported .SystemExit"),
        ("Sigth = 1", "cannot be imported .AttributeError"),
        ("Sight = print", "is no subclass of ipvg_eval.metrics.evaluator.Evaluator"),
        (GOOD.replace("def start", "def begin"), "Sight lacks start"),
        (GOOD.replace('    BUDGET = "frames"\n', ""), "Sight lacks BUDGET"),
        (
            GOOD.replace('BUDGET = "frames"', 'BUDGET = "frame"'),
            "names 'frame', which is none of",
        ),
        (GOOD.replace("    Options = Options\n", "    Options = dict\n"), "Options is no pydantic model"),
        (GOOD.replace("(MetricSpec(**SPEC),)", "()"), "no tuple of at least one MetricSpec"),
        (GOOD.replace("(MetricSpec(**SPEC),)", "(SPEC,)"), "SPECS holds dict, not MetricSpec"),
        (GOOD.replace('name="sight"', 'name="Sight!"'), "a name is lower-case letters"),
        (GOOD.replace('name="sight"', 'name="cur_score"'), "'cur_score' is one of ipvg-eval's own"),
        (GOOD.replace('name="sight"', 'name="face_fid"'), "'face_fid' is one of ipvg-eval's own"),
        (GOOD.replace('name="sight"', 'name="identity"'), "a column of every table"),
        (GOOD.replace("version=3", "version=0"), "no whole number from 1"),
        (GOOD.replace("higher_is_better=True", "higher_is_better='up'"), "not True, False or None"),
        (GOOD.replace("(0.0, 1.0)", "(1.0, 0.0)"), "not ascending"),
        (GOOD.replace("(0.0, 1.0)", "0.5"), "two numbers or None"),
        (GOOD.replace('source="own"', 'source=""'), "source must be one line"),
        (GOOD.replace('source="own"', 'source="own", weights=("eye",)'), "need the weight 'eye'"),
    ],
)
def test_what_is_wrong_with_it_is_said_with_its_name(install, code, words):
    install(code)
    with pytest.raises(BrokenPlugin, match=f"(?s)'sight' of the package seeing 1.2 .*{words}") as caught:
        parse_protocol(PROTOCOL, where="p")
    assert caught.value.exit_code == ExitCode.UNAVAILABLE
    assert "seeing" in caught.value.hint
    load_protocol("lite")
    [(plugin, found)] = outside_evaluators()
    assert (str(plugin), str(found)) == ("seeing 1.2", str(caught.value))


def test_two_packages_with_one_name_are_both_named(install):
    install()
    install(package="watching", version="0.9")
    with pytest.raises(BrokenPlugin, match=r"seeing 1.2 and watching 0.9 register the same name"):
        evaluator_class("sight")


def test_a_name_of_ours_stays_ours(install):
    install(kind="cuts")
    assert evaluator_class("cuts").__module__ == "ipvg_eval.metrics.timeline.cuts"
    [(_, found)] = outside_evaluators()
    assert "seeing 1.2" in str(found)
    assert "one of ipvg-eval's own" in str(found)


def test_a_spec_that_options_change_is_looked_at_too(install):
    install(GOOD + "    @classmethod\n    def specs_for(cls, options):\n        return (1 / 0,)\n")
    # The method landed in Pass, whose name is the last class; the evaluator is right.
    assert parse_protocol(PROTOCOL, where="p").specs
    broken = "    @classmethod\n    def specs_for(cls, options):\n        return (1 / 0,)\n\nclass Pass"
    install(GOOD.replace("class Pass", broken), package="blind", kind="blind")
    with pytest.raises(BrokenPlugin, match=r"blind 1.2 .* specs_for raises ZeroDivisionError"):
        parse_protocol(PROTOCOL.replace("sight", "blind"), where="p")


def test_what_building_it_raises_is_its(install):
    install(
        GOOD.replace(
            "    def frames", "    def __init__(self, *_):\n        open('/none/x')\n\n    def frames"
        )
    )
    with pytest.raises(BrokenPlugin, match=r"seeing 1.2 .* building it raises FileNotFoundError"):
        Recipe(protocol=parse_protocol(PROTOCOL, where="p"), device="cpu").build()


def _measured(code, install):
    install(code)
    [evaluator] = parse_protocol(PROTOCOL, where="p").build(Runtime())
    wanted = evaluator.frames(CLIP)
    watching = evaluator.start(TARGET, CLIP)
    watching.add(wanted, np.zeros((len(wanted), 8, 8, 3), np.uint8))
    return watching.finish()


def test_a_right_one_measures(install):
    [measured] = _measured(GOOD, install)
    assert (measured.name, measured.value) == ("sight", 0.5)


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (RANGE, "return [0, 4]", "not ascending frames"),
        (RANGE, "return [1, 0]", "not ascending frames"),
        (RANGE, "return 1 / 0", "ZeroDivisionError"),
        ("return Pass()", "raise KeyError('eye')", "KeyError: 'eye'"),
        ("        pass", "        raise ValueError('dark')", "ValueError: dark"),
        ("        pass", "        raise SystemExit(0)", "SystemExit: 0"),
        ("        pass", "        from ipvg_eval.errors import VideoError; raise VideoError('bad')", "bad"),
        (
            "        pass",
            "        from ipvg_eval.core.errors import Unavailable; raise Unavailable('?')",
            "[?]",
        ),
        ("return [M", "return 1, [M", "no list of Measurement"),
        ("value=0.5)]", "value='much')]", "TypeError"),
        ("value=0.5)]", "value=float('nan'))]", "ValueError: sight: nan is not a finite number"),
        ('[Measurement(name="sight"', '[Measurement(name="site"', "finish.. measures site, and its specs"),
        ("value=0.5)]", "value=0.5)] * 2", "finish.. measures sight, sight"),
    ],
)
def test_what_breaks_on_a_video_is_missing_with_its_name(install, right, wrong, words):
    code = GOOD.replace(right, wrong)
    assert code != GOOD
    [measured] = _measured(code, install)
    assert (measured.name, measured.value, measured.broken) == ("sight", None, True)
    assert re.search(f"'sight' of the package seeing 1.2: .*{words}", measured.reason)


def test_a_target_that_it_refuses_is_no_fault(install):
    """As with ours: the reason is the evaluator's, and whoever shows the video writes it down."""
    refusing = "from ipvg_eval.metrics.errors import MetricsError; raise MetricsError('no picture')"
    with pytest.raises(MetricsError, match="no picture"):
        _measured(GOOD.replace("return Pass()", refusing), install)


def test_what_it_does_to_frames_stays_with_it(install):
    install(GOOD.replace("        pass", "        frames[:] = 255"))
    [evaluator] = parse_protocol(PROTOCOL, where="p").build(Runtime())
    frames = np.zeros((2, 8, 8, 3), np.uint8)
    evaluator.start(TARGET, CLIP).add([0, 1], frames)
    assert not frames.any()


WEIGHED = GOOD.replace('source="own"', 'source="own", weights=("eye",)').replace(
    '    BUDGET = "frames"\n',
    '    BUDGET = "frames"\n    WEIGHTS = (WeightFile(name="eye", used_by=("sight",), file_name="eye.bin", '
    'licence="MIT", size=5, sha256=SHA, source=ReleaseAsset(url="https://example.org/eye.bin")),)\n',
)


def test_its_weights_are_looked_for_like_ours(install, tmp_path, monkeypatch):
    import hashlib

    content = b"seen\n"
    head = (
        "from ipvg_eval.metrics.weight_file import ReleaseAsset, WeightFile\n"
        f"SHA = {hashlib.sha256(content).hexdigest()!r}\n"
    )
    install(head + WEIGHED)
    monkeypatch.setenv("IPVG_WEIGHTS_DIR", str(tmp_path / "weights"))
    monkeypatch.setenv("IPVG_CACHE_DIR", str(tmp_path / "cache"))
    protocol = parse_protocol(PROTOCOL, where="p")
    assert protocol.required_weights() == ("eye",)
    recipe = Recipe(protocol=protocol, device="cpu")
    with pytest.raises(WeightsMissing, match="eye"):
        recipe.build()
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights/eye.bin").write_bytes(content)
    assert recipe.build().info.weights == {"eye": hashlib.sha256(content).hexdigest()}


def test_its_version_is_in_the_provenance_and_only_its_name_must_agree(install):
    from ipvg_eval.core.comparability import _versioned

    install()
    scorer = Recipe(protocol=parse_protocol(PROTOCOL, where="p"), device="cpu").build()
    assert scorer.info.provenance.packages["seeing"] == "1.2"
    assert _versioned(scorer.specs[0]) == "sight v3 from seeing"


def test_a_protocol_is_joined_by_a_metric_that_is_asked_for(install):
    install()
    lite = load_protocol("lite")
    joined = lite.select(["lite_motion", "sight"])
    assert [spec.name for spec in joined.specs] == ["lite_motion", "sight"]
    assert not joined.definition.official
    assert "sight" in joined.definition.notice
    assert joined.sha256 != lite.select(["lite_motion"]).sha256
    with pytest.raises(ProtocolError, match="has no metric 'sigth'"):
        lite.select(["lite_motion", "sigth"])


def test_a_broken_one_harms_only_whoever_asks_for_it(install):
    install("raise RuntimeError('imported')")
    assert [spec.name for spec in load_protocol("lite").select(["lite_motion"]).specs] == ["lite_motion"]
    with pytest.raises(BrokenPlugin, match=r"seeing 1.2"):
        load_protocol("lite").select(["lite_motion", "sight"])


def test_no_metric_may_be_called_like_a_column():
    """The columns of the tables that a run writes, read from the tables."""
    columns = {*samples_table([], ["m"]).column_names, *frames_table([]).column_names} - {"m"}
    assert columns <= COLUMNS
