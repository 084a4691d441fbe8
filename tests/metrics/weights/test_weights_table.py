from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import re
import subprocess
import sys

import pytest

from ipvg_eval.metrics.errors import ProtocolError
from ipvg_eval.metrics.weight_file import ArchiveMember, HubFile, HubFolder, ReleaseAsset, WeightFile
from ipvg_eval.metrics.weights.sizes import readable_size
from ipvg_eval.metrics.weights.source import RandomWeights, weight_source
from ipvg_eval.metrics.weights.store import WeightStore
from ipvg_eval.metrics.weights.table import WEIGHTS, declared


def test_everything_is_pinned_by_hash_or_by_commit() -> None:
    for weight in WEIGHTS.values():
        if isinstance(weight.source, HubFolder):
            assert re.fullmatch(r"[0-9a-f]{40}", weight.source.revision), weight.name
        elif weight.sha256 is None:
            pin = weight.source.revision if isinstance(weight.source, HubFile) else str(weight.source)
            assert re.search(r"(^|/)[0-9a-f]{40}(/|$)", pin), weight.name
        else:
            assert re.fullmatch(r"[0-9a-f]{8,64}", weight.sha256), weight.name
        if isinstance(weight.source, HubFile) and weight.source.revision == "main":
            assert len(weight.sha256 or "") == 64, f"{weight.name}: a branch can move"


def test_file_names_that_carry_a_hash_agree_with_the_table() -> None:
    """torch.hub names files by the first eight digits of their sha256."""
    seen = 0
    for weight in WEIGHTS.values():
        match = re.fullmatch(r".*-([0-9a-f]{8})\.pth", weight.file_name)
        if match:
            seen += 1
            assert weight.matches(weight.sha256 or "")
            assert (weight.sha256 or "").startswith(match[1])
    assert seen == 3


def test_file_names_do_not_collide() -> None:
    names = [weight.file_name for weight in WEIGHTS.values()]
    assert len(set(names)) == len(names)


def test_release_addresses_end_in_the_file_they_serve() -> None:
    for weight in WEIGHTS.values():
        if isinstance(weight.source, ReleaseAsset):
            assert weight.source.url.endswith("/" + weight.file_name)
        if isinstance(weight.source, ArchiveMember):
            assert weight.source.member == weight.file_name
            assert weight.source.archive_name == "buffalo_l.zip"


def test_weights_with_research_terms_are_marked() -> None:
    marked = {name for name, weight in WEIGHTS.items() if weight.non_commercial}
    assert marked >= {"det_10g.onnx", "w600k_r50.onnx", "amt_s", "musiq_spaq"}
    for weight in WEIGHTS.values():
        if "NC" in weight.licence or "oncommercial" in weight.licence.replace("-c", "c"):
            assert weight.non_commercial, weight.name


def test_clip_repositories_are_the_ones_open_clip_resolves() -> None:
    open_clip = pytest.importorskip("open_clip.pretrained", reason="open_clip is not installed")
    constants = pytest.importorskip("open_clip.constants")
    for name, model in (("clip_vit_b32", "ViT-B-32"), ("clip_vit_b16", "ViT-B-16")):
        source = WEIGHTS[name].source
        assert isinstance(source, HubFile)
        assert open_clip.get_pretrained_cfg(model, "openai")["hf_hub"] == f"{source.repository}/"
        assert source.path == constants.HF_SAFE_WEIGHTS_NAME


def test_bundled_detector_has_the_hashes_of_the_package_record() -> None:
    """The wheel's own RECORD, an independent statement of the same hashes."""
    lines = []
    for file in importlib.metadata.files("facenet-pytorch") or ():
        if re.search(r"/data/[opr]net\.pt$", str(file)):
            assert file.hash is not None
            digest = base64.urlsafe_b64decode(file.hash.value + "=").hex()
            lines.append(f"{digest}  {file.name}\n")
    text = "".join(sorted(lines, key=lambda line: line.split()[1]))
    assert len(lines) == 3
    assert WEIGHTS["mtcnn"].sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_bundled_detector_is_found_in_the_installed_package() -> None:
    look_up = WeightStore().look_up("mtcnn")
    assert look_up.found is not None
    assert (look_up.found.path / "pnet.pt").is_file()
    assert look_up.found.where == "package facenet-pytorch"


def test_names_and_file_names_are_understood() -> None:
    assert declared("amt_s") is declared("amt-s.pth")
    with pytest.raises(ProtocolError, match="no weight is called 'ampt_s'") as caught:
        declared("ampt_s")
    assert caught.value.hint == "Did you mean 'amt_s'?"


def test_a_single_file_needs_a_hash() -> None:
    with pytest.raises(ValueError, match="needs its sha256"):
        WeightFile(name="x", used_by=(), source=ReleaseAsset(url="https://x/y"), file_name="y", licence="MIT")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (None, "size unknown"),
        (0, "0 bytes"),
        (999, "999 bytes"),
        (16_923_827, "16.9 MB"),
        (999_960, "1.0 MB"),
        (33_170_000_000, "33.2 GB"),
        (5_000_000_000_000, "5000.0 GB"),
    ],
)
def test_readable_size(size: int | None, text: str) -> None:
    assert readable_size(size) == text


@pytest.mark.parametrize(("spec", "seed"), [("random", 0), ("random:0", 0), ("random:17", 17)])
def test_random_weights_are_asked_for_by_a_seed(spec: str, seed: int) -> None:
    source = weight_source(spec)
    assert isinstance(source, RandomWeights)
    assert source.random_seed == seed
    assert source.sha256("amt_s") == f"random:{seed}"
    assert source.resolve(["amt_s"]) is source
    with pytest.raises(Exception, match=rf"random weights \(seed {seed}\).*amt_s"):
        source.path("amt_s")


def test_no_specification_means_published_weights() -> None:
    source = weight_source(None)
    assert isinstance(source, WeightStore)
    assert source.random_seed is None


@pytest.mark.parametrize("spec", ["", "rand", "random:", "random:-1", "random:1.5", "Random", "random:1 "])
def test_other_specifications_are_refused(spec: str) -> None:
    with pytest.raises(ProtocolError, match="is not understood") as caught:
        weight_source(spec)
    assert "random:SEED" in (caught.value.hint or "")


def test_importing_the_package_loads_neither_torch_nor_the_hub_client() -> None:
    code = (
        "import sys, ipvg_eval.metrics.weights, ipvg_eval.metrics.weights.pull, ipvg_eval.cli.weights\n"
        "ipvg_eval.metrics.weights.WeightStore().look_up('mtcnn')\n"
        "print([name for name in ('torch', 'huggingface_hub', 'facenet_pytorch') if name in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
