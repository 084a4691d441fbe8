from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision.transforms.functional as TF

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.faces.curricularface import IR101, WEIGHTS, CurricularFace
from ipvg_eval.metrics.faces.network_weights import fill_randomly
from ipvg_eval.metrics.runtime import Runtime

STAGES = [(64, 3), (128, 13), (256, 30), (512, 3)]


def _published_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the published checkpoint, from its description.

    ConsisID util/on_going_module/curricularface/model_irse.py @60429e4: a stem, 49 blocks in four stages, a
    shortcut with weights where the number of channels changes, and a head whose last normalisation learns
    nothing.
    """
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int, learns: bool = True) -> None:
        for part in (("weight", "bias") if learns else ()) + ("running_mean", "running_var"):
            shapes[f"{name}.{part}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    shapes["input_layer.0.weight"] = (64, 3, 3, 3)
    norm("input_layer.1", 64)
    shapes["input_layer.2.weight"] = (64,)
    number, channels = 0, 64
    for width, count in STAGES:
        for _ in range(count):
            block = f"body.{number}"
            if channels != width:
                shapes[f"{block}.shortcut_layer.0.weight"] = (width, channels, 1, 1)
                norm(f"{block}.shortcut_layer.1", width)
            norm(f"{block}.res_layer.0", channels)
            shapes[f"{block}.res_layer.1.weight"] = (width, channels, 3, 3)
            norm(f"{block}.res_layer.2", width)
            shapes[f"{block}.res_layer.3.weight"] = (width,)
            shapes[f"{block}.res_layer.4.weight"] = (width, width, 3, 3)
            norm(f"{block}.res_layer.5", width)
            number, channels = number + 1, width
    norm("output_layer.0", 512)
    shapes["output_layer.3.weight"] = (512, 512 * 7 * 7)
    shapes["output_layer.3.bias"] = (512,)
    norm("output_layer.4", 512, learns=False)
    return shapes


def _forward(state: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """The network as plain function calls on a state dict."""

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        mean, var = state[f"{name}.running_mean"], state[f"{name}.running_var"]
        return F.batch_norm(x, mean, var, state.get(f"{name}.weight"), state.get(f"{name}.bias"))

    x = F.conv2d(x, state["input_layer.0.weight"], padding=1)
    x = F.prelu(norm("input_layer.1", x), state["input_layer.2.weight"])
    number = 0
    for _, count in STAGES:
        for position in range(count):
            block, stride = f"body.{number}", 2 if position == 0 else 1
            shortcut = F.max_pool2d(x, 1, stride)
            if f"{block}.shortcut_layer.0.weight" in state:
                shortcut = F.conv2d(x, state[f"{block}.shortcut_layer.0.weight"], stride=stride)
                shortcut = norm(f"{block}.shortcut_layer.1", shortcut)
            x = F.conv2d(norm(f"{block}.res_layer.0", x), state[f"{block}.res_layer.1.weight"], padding=1)
            x = F.prelu(norm(f"{block}.res_layer.2", x), state[f"{block}.res_layer.3.weight"])
            x = F.conv2d(x, state[f"{block}.res_layer.4.weight"], stride=stride, padding=1)
            x = norm(f"{block}.res_layer.5", x) + shortcut
            number += 1
    x = norm("output_layer.0", x).reshape(len(x), -1)
    x = F.linear(x, state["output_layer.3.weight"], state["output_layer.3.bias"])
    return norm("output_layer.4", x)


def test_names_and_shapes_are_the_published_checkpoints():
    with torch.device("meta"):
        state = IR101().state_dict()
    assert {name: tuple(value.shape) for name, value in state.items()} == _published_shapes()


def test_the_forward_pass_equals_plain_function_calls(curricular, crops):
    state = curricular._network.state_dict()
    small = np.stack([np.asarray(_published_resize(crop)) for crop in crops])
    pixels = torch.stack([TF.normalize(TF.to_tensor(crop), [0.5] * 3, [0.5] * 3) for crop in small])
    expected = F.normalize(_forward(state, pixels)).numpy()
    np.testing.assert_allclose(curricular.embed(crops), expected, atol=3e-6)


def _published_resize(crop: np.ndarray) -> np.ndarray:
    # Halving with bilinear sampling at pixel centres is the mean of every 2 x 2 block, rounded.
    blocks = crop.reshape(112, 2, 112, 2, 3).astype(np.uint32).sum(axis=(1, 3))
    return ((blocks + 2) // 4).astype(np.uint8)


def test_rows_have_length_one_and_do_not_depend_on_the_batch(curricular, crops):
    together = curricular.embed(crops)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(
        np.concatenate([curricular.embed(crop[None]) for crop in crops]), together, atol=3e-6
    )
    assert np.abs(together[0] - together[1]).max() > 1e-2


def test_no_crop_gives_no_row(curricular):
    assert curricular.embed(np.empty((0, 224, 224, 3), dtype=np.uint8)).shape == (0, 512)


def test_a_checkpoint_file_gives_the_same_network(tmp_path, weights_from, curricular, crops):
    path = tmp_path / "backbone.bin"
    torch.save(curricular._network.state_dict(), path)
    loaded = CurricularFace(weights_from({WEIGHTS: path}))
    assert np.array_equal(loaded.embed(crops[:1]), curricular.embed(crops[:1]))


def test_a_wrong_checkpoint_is_refused_with_its_path(tmp_path, weights_from):
    path = tmp_path / "backbone.bin"
    torch.save({"input_layer.0.weight": torch.zeros(64, 3, 3, 3)}, path)
    with pytest.raises(WeightsMissing, match=r"backbone\.bin") as raised:
        CurricularFace(weights_from({WEIGHTS: path}))
    assert "weights verify" in raised.value.hint


@pytest.mark.parametrize("content", [b"", b"\x80\x02garbage", b"<html>not found</html>"])
def test_a_damaged_checkpoint_is_refused_with_its_path(tmp_path, weights_from, content):
    path = tmp_path / "backbone.bin"
    path.write_bytes(content)
    with pytest.raises(WeightsMissing, match=r"backbone\.bin"):
        CurricularFace(weights_from({WEIGHTS: path}))


def test_without_a_source_of_weights_it_says_so():
    with pytest.raises(WeightsMissing, match="is needed"):
        CurricularFace(Runtime())


def test_random_filling_is_repeatable_and_leaves_the_global_state_alone():
    before = torch.random.get_rng_state()
    first, again, other = (
        torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.BatchNorm1d(7)) for _ in range(3)
    )
    torch.random.set_rng_state(before)
    for network, seed in ((first, 1), (again, 1), (other, 2)):
        fill_randomly(network, seed)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(first[0].weight, again[0].weight)
    assert not torch.equal(first[0].weight, other[0].weight)
    assert all(value.isfinite().all() for value in first.state_dict().values())
