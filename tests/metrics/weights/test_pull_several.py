"""Several weights at once: hosts side by side, one file at a time from each."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ipvg_eval.metrics.weight_file import ReleaseAsset, WeightFile
from ipvg_eval.metrics.weights.places import Places
from ipvg_eval.metrics.weights.progress import Advanced, Silent
from ipvg_eval.metrics.weights.pull import Pulled
from ipvg_eval.metrics.weights.pull_several import pull_several
from ipvg_eval.metrics.weights.store import WeightStore

if TYPE_CHECKING:
    from conftest import Contents, Server

    Table = dict[str, WeightFile]


def test_hosts_serve_side_by_side_each_one_file_at_a_time(
    table: Table, places: Places, server: Server, contents: Contents
) -> None:
    """The second host's file must be under way before the first host's may go on."""
    other = server.base.replace("127.0.0.1", "localhost")
    table["prefixed"] = replace(table["prefixed"], source=ReleaseAsset(url=f"{other}/prefixed.pth"))
    server.files |= {
        "/plain.pth": contents.plain,
        "/prefixed.pth": contents.plain,
        "/pack.zip": contents.archive,
    }
    both = threading.Barrier(2)
    under_way: list[str] = []

    class Watching(Silent):
        def started(self, what: str, *_: object) -> Advanced:
            under_way.append(what)
            if what.startswith(("plain", "prefixed")):
                both.wait(120)
            return super().started()

    weights = [table[name] for name in ("plain", "first", "second", "prefixed")]
    done = {
        weight.name: outcome
        for weight, outcome in pull_several(
            weights, new_store=lambda: WeightStore(table, places), progress=Watching()
        )
    }
    assert {name: pulled.action for name, pulled in done.items() if isinstance(pulled, Pulled)} == {
        "plain": "downloaded", "first": "downloaded", "second": "present", "prefixed": "downloaded"
    }  # fmt: skip
    assert server.gets("/pack.zip") == [None]
    assert {what.partition(".")[0] for what in under_way[:2]} == {"plain", "prefixed"}


def test_a_fault_of_ours_in_a_pull_is_not_waited_for(table: Table, places: Places) -> None:
    class Broken(Silent):
        def started(self, *_: object) -> Advanced:
            raise LookupError

    path = places.cache_dir / "elsewhere" / "plain.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x")
    with pytest.raises(LookupError):
        list(
            pull_several(
                [table["plain"]],
                new_store=lambda: WeightStore(table, places),
                mirror=str(path.parent),
                progress=Broken(),
            )
        )
