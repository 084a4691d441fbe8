from __future__ import annotations

import numpy as np
import pytest
import pytorch_fid.inception
import torch
import torchvision
from PIL import Image
from pytorch_fid.fid_score import get_activations
from torchvision import transforms

from ipvg_eval.metrics.faces.inception import FID_WEIGHTS, FidInception, ImagenetInception, _fid_network
from ipvg_eval.metrics.faces.network_weights import fill_randomly


@torch.inference_mode()
def test_published_features_are_torchvisions(imagenet, crops):
    network = torchvision.models.inception_v3(weights=None, init_weights=False, transform_input=False)
    network.fc = torch.nn.Identity()
    network.load_state_dict(imagenet._network.state_dict())
    network.eval()
    # torchvision's transform of inputs for its ImageNet weights, with the constants of its own preset.
    preset = torchvision.models.Inception_V3_Weights.IMAGENET1K_V1.transforms()
    mean, std = (torch.tensor(value)[:, None, None] for value in (preset.mean, preset.std))
    steps = transforms.Compose([transforms.Resize((299, 299)), transforms.ToTensor()])
    pixels = torch.stack([steps(Image.fromarray(crop)) for crop in crops])
    shifted = pixels * (std / 0.5) + (mean - 0.5) / 0.5
    assert shifted.min() >= -0.19 - 0.001
    assert shifted.max() <= 0.43 + 0.001
    expected = network(shifted).numpy()
    features = imagenet.features(crops)
    assert features.shape == (2, 2048)
    np.testing.assert_allclose(features, expected, atol=1e-4 * np.abs(expected).max())


def test_fid_features_are_pytorch_fids(tmp_path, monkeypatch, fid_network, crops):
    state = {**fid_network._network.state_dict(), **_classifier()}
    monkeypatch.setattr(pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: state)
    published = pytorch_fid.inception.InceptionV3()
    files = []
    for number, crop in enumerate(crops):
        files.append(tmp_path / f"{number}.png")
        Image.fromarray(crop).save(files[-1])
    expected = get_activations(files, published, batch_size=2, num_workers=0)
    features = fid_network.features(crops)
    np.testing.assert_allclose(features, expected, atol=1e-5 * np.abs(expected).max())
    assert np.abs(expected[0] - expected[1]).max() > 1e-2 * np.abs(expected).max()


def _classifier() -> dict[str, torch.Tensor]:
    return {"fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}


def test_a_checkpoint_with_the_published_names_loads(tmp_path, monkeypatch, weights_from, crops):
    """The file is saved from pytorch-fid's own network, so its names and shapes are the published ones."""
    monkeypatch.setattr(
        torchvision.models.Inception3, "load_state_dict", lambda self, *_: fill_randomly(self, 1)
    )
    monkeypatch.setattr(pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: {})
    published = pytorch_fid.inception.fid_inception_v3().eval()
    monkeypatch.undo()
    path = tmp_path / "fid.pth"
    torch.save(published.state_dict(), path)
    loaded = FidInception(weights_from({FID_WEIGHTS: path}))
    published.fc = torch.nn.Identity()
    pixels = torch.nn.functional.interpolate(
        torch.from_numpy(crops[:1]).permute(0, 3, 1, 2) / 255, size=(299, 299), mode="bilinear"
    )
    with torch.inference_mode():
        expected = published(2 * pixels - 1).numpy()
    np.testing.assert_allclose(loaded.features(crops[:1]), expected, atol=1e-5 * np.abs(expected).max())


def test_the_two_networks_differ_in_their_pooling_alone():
    with torch.device("meta"):
        ours = _fid_network().state_dict()
        plain = torchvision.models.Inception3(num_classes=1008, aux_logits=False, init_weights=False)
    assert {name: value.shape for name, value in ours.items()} == {
        name: value.shape for name, value in plain.state_dict().items()
    }


@pytest.mark.parametrize("kind", [ImagenetInception, FidInception])
def test_features_do_not_depend_on_the_batch(request, kind, crops):
    network = request.getfixturevalue({ImagenetInception: "imagenet", FidInception: "fid_network"}[kind])
    together = network.features(crops)
    single = np.concatenate([network.features(crop[None]) for crop in crops])
    np.testing.assert_allclose(single, together, atol=1e-5 * np.abs(together).max())
    assert network.features(crops[:0]).shape == (0, 2048)
