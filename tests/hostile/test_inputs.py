"""Any test set and any protocol file is read, or refused by one of the project's own errors."""

from __future__ import annotations

import json
import unicodedata

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from ipvg_eval.audit.thresholds import Thresholds, parse_thresholds
from ipvg_eval.core.errors import UsageError
from ipvg_eval.errors import TestSetError
from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.protocols.definition import read_text, shipped_protocols
from ipvg_eval.metrics.protocols.loading import parse_protocol
from ipvg_eval.testset import load_testset
from ipvg_eval.testset.prompts import decode_text
from ipvg_eval.testset.timelines import looks_like_timeline

FACIAL = {"img": "a.png", "prompt": "A man runs."}
SEQUENTIAL = {
    "img_paths": ["a.png"],
    "class_label": ["man"],
    "global_prompt": "A man runs.",
    "temporal_captions": [{"start": 0, "end": 2, "description": "runs"}],
}
BOUND = settings(deadline=None, max_examples=80)
TEXT = st.text(max_size=12) | st.sampled_from(
    ["a.png", "../a.png", "/etc/passwd", "a.png\0", "\ud800", "..\\x"]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("inputs")
    Image.new("RGB", (8, 8)).save(root / "a.png")
    return root


@pytest.mark.parametrize("item", [FACIAL, SEQUENTIAL], ids=["facial", "sequential"])
def test_one_wrong_value_costs_its_item_at_most(folder, item):
    @BOUND
    @given(key=st.sampled_from(sorted(item)), value=VALUE)
    def check(key, value):
        items = [item, item, item | {key: value}]
        (folder / "eval.json").write_text(json.dumps(items))
        testset = load_testset(folder)
        ids = [sample.id for sample in testset.samples]
        assert ids[:2] == ["1", "2"]
        assert ids == ["1", "2", "3"] or any(finding.sample == "3" for finding in testset.findings)
        for sample in testset.samples:
            # No name leads out of the test set's folder.
            assert all(reference.path.resolve().is_relative_to(folder) for reference in sample.references)
            assert sample.prompt == sample.prompt.strip()
            assert "\r" not in sample.prompt

    check()


def test_changed_bytes_of_eval_json_are_one_readable_error_or_findings(folder):
    original = json.dumps([FACIAL] * 3, indent=1).encode()

    @BOUND
    @given(changes=st.lists(st.tuples(st.integers(0, len(original) - 1), st.integers(0, 255)), min_size=1))
    def check(changes):
        raw = bytearray(original)
        for place, value in changes:
            raw[place] = value
        (folder / "eval.json").write_bytes(raw)
        try:
            testset = load_testset(folder)
        except TestSetError:
            return
        assert len(testset.samples) + len({f.sample for f in testset.findings}) >= 3

    check()


@BOUND
@given(data=st.binary(max_size=60))
@example(b"\xff\xfe" + "A man".encode("utf-16-le"))
@example(b"\xef\xbb\xbfA man\r\nruns ")
def test_a_prompt_file_is_clean_text_or_refused(data):
    try:
        text = decode_text(data)
    except UnicodeError:
        return
    assert "\0" not in text
    assert "\r" not in text
    assert text == text.strip(" \t\n\f\v\ufeff")
    assert looks_like_timeline(text) in (True, False)


@BOUND
@given(text=st.text(max_size=60), encoding=st.sampled_from(["utf-8-sig", "utf-16", "utf-32"]))
def test_a_prompt_survives_every_encoding_with_a_mark(text, encoding):
    if "\0" in text:
        return
    assert decode_text(text.encode(encoding)) == decode_text(text.encode("utf-8"))


@BOUND
@given(st.text(st.sampled_from("0123456789.:–-~ s秒to[]()"), max_size=2000))
def test_looking_for_time_ranges_ends(text):
    unicodedata.normalize("NFKC", text)
    assert looks_like_timeline(text) in (True, False)


LITE = read_text("lite")


def refused_or_read(text):
    try:
        return parse_protocol(text, where="p.yaml")
    except ProtocolError:
        return None


@BOUND
@given(changes=st.lists(st.tuples(st.integers(0, len(LITE) - 1), st.characters()), min_size=1, max_size=4))
def test_changed_protocol_files_are_read_or_refused(changes):
    letters = list(LITE)
    for place, letter in changes:
        letters[place] = letter
    refused_or_read("".join(letters))


@BOUND
@given(
    key=st.sampled_from(["name", "version", "evaluators", "combined", "corpus", "audit", "x"]), value=VALUE
)
def test_any_value_of_any_key_is_read_or_refused(key, value):
    content = yaml.safe_load(LITE) | {key: value}
    try:
        text = yaml.safe_dump(content, allow_unicode=True)
    except (yaml.YAMLError, UnicodeError):
        return
    loaded = refused_or_read(text)
    if loaded is not None:
        assert loaded.specs


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "name: !!python/object/new:os.system ['true']",
        "a: &a [*a, *a]",
        "[" * 500,
        "{" * 500,
        "name: lite\nversion: 2001-99-99",
        "\x00",
        "- 1",
    ],
)
def test_protocol_files_run_nothing_and_end(text):
    assert refused_or_read(text) is None


def test_thresholds_of_audits_change_no_fingerprint():
    for name in shipped_protocols():
        text = read_text(name)
        with_audit = text + "\naudit:\n  same_distance: 3.0\n"
        assert parse_protocol(with_audit, where="p").sha256 == parse_protocol(text, where="p").sha256


@BOUND
@given(st.dictionaries(st.sampled_from(sorted(Thresholds.model_fields)) | TEXT, VALUE, max_size=3))
def test_thresholds_are_read_or_refused(content):
    try:
        read = parse_thresholds(content, "p")
    except UsageError:
        return
    assert read == Thresholds(**content)
