"""Any bytes at all end in a listing or in one typed error."""

from __future__ import annotations

import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipvg_eval.errors import SubmissionError
from ipvg_eval.submission import MemberError, load_submission


def read_everything(path) -> None:
    try:
        submission = load_submission(path)
    except SubmissionError:
        return
    for name in submission.files:
        try:
            submission.sha256(name)
            with submission.open_stream(name) as stream:
                stream.read()
        except MemberError:
            continue


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_changed_bytes(pack, tmp_path, method):
    files = [("id001/prompt1.mp4", bytes(range(256)) * 3), ("é/1.mp4", b"x" * 50), ("id002/", b"")]
    original = pack(files, method=method)
    path = tmp_path / "team.zip"
    # Headers and directory lie outside the long member's data; most changes should strike there.
    position = (
        st.integers(0, len(original) - 1)
        | st.integers(0, 60)
        | st.integers(-250, -1).map(lambda i: len(original) + i)
    )

    @settings(deadline=None, max_examples=250)
    @given(
        changes=st.lists(st.tuples(position, st.integers(0, 255)), min_size=1, max_size=6),
        cut=st.integers(0, 40),
    )
    def check(changes, cut):
        raw = bytearray(original)
        for where, value in changes:
            raw[where % len(raw)] = value
        path.write_bytes(bytes(raw[cut // 4 :] if cut % 4 == 1 else raw))
        read_everything(path)

    check()


def test_random_bytes_behind_a_zip_signature(tmp_path):
    path = tmp_path / "team.zip"

    @settings(deadline=None, max_examples=150)
    @given(
        st.binary(max_size=120),
        st.binary(max_size=60),
        st.sampled_from([b"", b"PK\5\6", b"PK\6\6", b"PK\1\2"]),
    )
    def check(head, tail, magic):
        path.write_bytes(b"PK\3\4" + head + magic + tail)
        read_everything(path)

    check()
