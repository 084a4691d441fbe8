"""Loading networks from files and from seeds."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from weight_files import WeightFiles

from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import RandomWeights


def make() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.5))


def load(path: Path, key: str | None = None) -> torch.nn.Module:
    return load_network(make, weights="net", runtime=Runtime(weights=WeightFiles(path)), key=key)[0]


@pytest.mark.parametrize("prefix", ["", "module."])
@pytest.mark.parametrize("key", [None, "state_dict"])
def test_tensors_of_the_file_fill_the_network(tmp_path: Path, prefix: str, key: str | None) -> None:
    tensors = {
        f"{prefix}0.weight": torch.arange(6.0).reshape(2, 3),
        f"{prefix}0.bias": torch.tensor([7.0, 8.0]),
    }
    torch.save(tensors if key is None else {"epoch": 3, key: tensors}, tmp_path / "net.pth")
    network = load(tmp_path / "net.pth", key)
    # Rows (0 1 2) and (3 4 5) times ones, plus the bias; dropout is off.
    assert network(torch.ones(3)).tolist() == [10.0, 20.0]
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize(
    ("content", "key"),
    [({"0.weight": torch.zeros(2, 3)}, None), ({"0.bias": torch.zeros(2)}, "state_dict"), ([1, 2], None)],
    ids=["tensor missing", "key missing", "no mapping"],
)
def test_another_checkpoint_is_refused(tmp_path: Path, content: object, key: str | None) -> None:
    torch.save(content, tmp_path / "net.pth")
    with pytest.raises(WeightsMissing, match=r"net\.pth: not the checkpoint of"):
        load(tmp_path / "net.pth", key)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(WeightsMissing, match=r"net\.pth"):
        load(tmp_path / "net.pth")


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"0.weight": Path("harmless")}, tmp_path / "net.pth")
    with pytest.raises(WeightsMissing, match=r"net\.pth"):
        load(tmp_path / "net.pth")


def test_seeds_decide_weights_and_leave_the_generator_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first, again, other = (
        load_network(make, weights="net", runtime=Runtime(weights=RandomWeights(seed)))[0][0].weight
        for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(before, torch.get_rng_state())


def test_no_source_of_weights_names_the_command() -> None:
    with pytest.raises(WeightsMissing) as caught:
        load_network(make, weights="net", runtime=Runtime())
    assert caught.value.hint == "Run: ipvg-eval weights pull net"
