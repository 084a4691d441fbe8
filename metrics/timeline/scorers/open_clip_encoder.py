"""Any open_clip model as an encoder of frames and texts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from ipvg_eval.core.measurement import Frames
from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.compilation import compile_blocks
from ipvg_eval.metrics.errors import ProtocolError, WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module
from ipvg_eval.metrics.timing import stage
from ipvg_eval.metrics.upload import Normalisation, planar, upload

_PACKAGE = "open_clip_torch"
_PREFERRED_TAGS = ("meta", "openai", "webli")

_log = logging.getLogger(__name__)


def weight_name(model: str) -> str:
    """Name of the declared weight of an open_clip model: "PE-Core-L-14-336" is pe_core_l_14_336."""
    return model.lower().replace("-", "_")


class OpenClipEncoder:
    """A `ipvg_eval.metrics.timeline.scorers.text_video_scorer.FrameTextEncoder` on one open_clip model.

    Frames are resized and normalised as open_clip's configuration of the model's published weights says:
    resized as pictures on the CPU, normalised in float32 on the device, to which their bytes cross.
    Texts longer than the model's context are cut by its own tokenizer, which is logged.

    Attributes:
        weights: sha256 of the weight file by name.
        knows_neutral_text: True.
        known_texts: None, it reads any text.
    """

    knows_neutral_text = True
    known_texts: tuple[str, ...] | None = None

    def __init__(self, model: str, runtime: Runtime) -> None:
        """Load a model.

        Args:
            model: open_clip's name of it.
            runtime: device, dtype and where the weights are.

        Raises:
            ProtocolError: open_clip has no such model, or not one with an image and a text tower alone.
            WeightsMissing: the package, the weights or the vocabulary are not on this machine.
        """
        self._package = published_module("open_clip", package=_PACKAGE)
        known = self._package.list_models()
        if model not in known:
            raise ProtocolError(f"open_clip has no model {model!r}", hint=did_you_mean(model, known))
        network, self.weights = load_network(
            lambda: _build(model), weights=weight_name(model), runtime=runtime
        )
        self._device, self._dtype = torch.device(runtime.device), getattr(torch, runtime.dtype)
        self._network: Any = network.to(dtype=self._dtype)
        if runtime.compiled:
            compile_blocks(self._network)
        self._name = weight_name(model)
        self._resize, self._normalise = self._image_transform(model)
        self._tokenizer = _tokenizer(self._package, model)

    def prepare(self, frame: Frames) -> npt.NDArray[np.uint8]:
        """A frame at the model's size: (side, side, 3) uint8, a copy."""
        return np.array(self._resize(Image.fromarray(frame)))

    @torch.inference_mode()
    def images(self, prepared: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """Image embeddings, not normalised; (n, d) float32."""
        with stage("network", self._name):
            return _rows(self._network.encode_image(self._input(prepared)))

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Text embeddings, not normalised; (n, d) float32."""
        for text in texts:
            if self.cut_off(text):
                _log.warning("text of more than %d tokens is cut: %s", self.context, text)
        tokens = self._tokenizer(list(texts))
        with stage("network", self._name):
            return _rows(self._network.encode_text(tokens.to(self._device)))

    def cut_off(self, text: str) -> bool:
        """Whether the text, its start and end token included, is longer than the model's context."""
        if hasattr(self._tokenizer, "encode"):
            return len(self._tokenizer.encode(text)) + 2 > self.context
        return len(self._tokenizer.tokenizer(text)["input_ids"]) > self.context

    @property
    def context(self) -> int:
        """Tokens the text tower reads."""
        return int(self._tokenizer.context_length)

    def _input(self, prepared: Sequence[npt.NDArray[np.uint8]]) -> torch.Tensor:
        pixels = upload(np.stack(prepared), self._device)
        return planar(self._normalise(pixels)).to(self._dtype)

    def _image_transform(self, model: str) -> tuple[Any, Normalisation]:
        """What makes the model's picture of a picture, and what makes numbers of its pixels."""
        module = published_module("open_clip.transform", package=_PACKAGE)
        tags = self._package.list_pretrained_tags_by_model(model)
        tag = next((tag for tag in _PREFERRED_TAGS if tag in tags), tags[0] if tags else "")
        published = self._package.get_pretrained_cfg(model, tag)
        names = ("mean", "std", "interpolation", "resize_mode")
        settings = {name: published[name] for name in names if published.get(name) is not None}
        size = self._network.visual.image_size
        published = module.image_transform_v2(module.PreprocessCfg(size=size, **settings), is_train=False)
        *pictures, _to_tensor, normalise = published.transforms
        return type(published)(pictures), Normalisation(normalise.mean, normalise.std, self._device)


def _build(model: str) -> torch.nn.Module:
    """The network with random weights; open_clip's own factory would also set up logging."""
    config = published_module("open_clip", package=_PACKAGE).get_model_config(model)
    module = published_module("open_clip.model", package=_PACKAGE)
    custom = config.pop("custom_text", False)
    if "multimodal_cfg" in config or "hf_model_name" in config["text_cfg"]:
        raise ProtocolError(f"open_clip's {model} is not supported", hint="Choose a model with a text tower.")
    network: torch.nn.Module = (module.CustomTextCLIP if custom else module.CLIP)(**config)
    return network


def _tokenizer(package: Any, model: str) -> Any:
    try:
        return package.get_tokenizer(model)
    except (ImportError, OSError, ValueError) as error:
        raise WeightsMissing(
            f"the vocabulary of {model} is not on this machine ({str(error)[:200]})",
            hint="Choose a model with CLIP's vocabulary, such as PE-Core-L-14-336.",
        ) from error


def _rows(tensor: torch.Tensor) -> npt.NDArray[np.float32]:
    return tensor.float().cpu().numpy()
