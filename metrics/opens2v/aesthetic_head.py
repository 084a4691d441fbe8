"""The LAION aesthetic predictor's head: CLIP embeddings to marks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from ipvg_eval.metrics.checkpoint import load_network
from ipvg_eval.metrics.opens2v.spec import HEAD_WEIGHTS
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.timing import stage

WIDTHS = (768, 1024, 128, 64, 16, 1)
"""Inputs and outputs of the five linear layers."""

_DROPOUTS = (0.2, 0.2, 0.1)


class AestheticHead:
    """Five linear layers in a row, without activations; float32 whatever the run's dtype.

    Source: OpenS2V-Nexus eval/get_aesscore.py @b452831, classes MLP and AestheticScorer.

    Attributes:
        weights: sha256 of the checkpoint.
    """

    weights: Mapping[str, str]

    def __init__(self, runtime: Runtime) -> None:
        """Load the head.

        Raises:
            WeightsMissing: the checkpoint is not on this machine, or is another one.
        """
        self._network, self.weights = load_network(_Network, weights=HEAD_WEIGHTS, runtime=runtime)
        self._device = torch.device(runtime.device)

    @torch.inference_mode()
    def marks(self, embeddings: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Marks of pictures, about 4 to 7.

        Args:
            embeddings: (n, 768), as CLIP's projection gives them; they are scaled to length one here.

        Returns:
            (n,) float32.
        """
        rows = torch.from_numpy(embeddings).to(self._device)
        rows = rows / torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
        with stage("network", HEAD_WEIGHTS):
            marks: npt.NDArray[np.float32] = self._network(rows).squeeze(1).cpu().numpy()
        return marks


class _Network(torch.nn.Module):
    """The layers under the checkpoint's names; the dropouts do nothing here but take up numbers."""

    def __init__(self) -> None:
        super().__init__()
        linear = [torch.nn.Linear(a, b) for a, b in itertools.pairwise(WIDTHS)]
        layers: list[torch.nn.Module] = []
        for layer, rate in zip(linear, _DROPOUTS, strict=False):
            layers += [layer, torch.nn.Dropout(rate)]
        self.layers = torch.nn.Sequential(*layers, *linear[len(_DROPOUTS) :])

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        marks: torch.Tensor = self.layers(rows)
        return marks
