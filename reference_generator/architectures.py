"""The transformers' dimensions, and what follows from them: parameters and floating-point operations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ipvg_eval.core.suggest import did_you_mean
from ipvg_eval.reference_generator.errors import SettingsError

_TIME_WIDTH = 256


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """A Wan transformer with what belongs to it. Dimensions as in the models' config.json.

    Attributes:
        width: channels of a token.
        feed_forward: channels inside a block's feed-forward part.
        layers: blocks.
        heads: attention heads.
        vace_layers: blocks that receive a hint; empty without a VACE branch.
        in_channels: latent channels that go in.
        out_channels: latent channels that come out.
        text_width: channels of the text encoder's answer.
        time_width: channels of the sinusoidal time embedding.
        experts: transformers of this size; one of them works at a time.
        spatial: pixels per latent pixel on a side.
        text_gb: the text encoder's size in GB.
        vae_gb: the VAE's size in GB, float32.
        vae_mflop: operations of the VAE's decoder per pixel of the video, in 10^6.
    """

    width: int
    feed_forward: int
    layers: int
    heads: int
    vace_layers: tuple[int, ...] = ()
    in_channels: int = 16
    out_channels: int = 16
    text_width: int = 4096
    time_width: int = _TIME_WIDTH
    experts: int = 1
    spatial: int = 8
    text_gb: float = 11.4
    vae_gb: float = 0.5
    vae_mflop: float = 8.7

    @property
    def size_step(self) -> int:
        """Pixels that width and height are multiples of: two latent pixels, and 16 for the video file."""
        return max(16, 2 * self.spatial)

    @property
    def parameters(self) -> int:
        """Parameters of one transformer, exactly as diffusers builds it."""
        d, f = self.width, self.feed_forward
        attention = 4 * (d * d + d) + 2 * d
        block = 2 * attention + 2 * d + (d * f + f) + (f * d + d) + 6 * d
        embedders = (
            (4 * self.in_channels * d + d)
            + (self.time_width * d + d)
            + (d * d + d)
            + (6 * d * d + 6 * d)
            + (self.text_width * d + d)
            + (d * d + d)
        )
        head = d * 4 * self.out_channels + 4 * self.out_channels + 2 * d
        total = self.layers * block + embedders + head
        if self.vace_layers:
            projection = d * d + d
            total += len(self.vace_layers) * (block + projection) + projection + (4 * 96 * d + d)
        return total

    def tokens(self, *, width: int, height: int, frames: int, references: int = 0) -> int:
        """Tokens of one forward pass; each reference adds a latent frame."""
        latent_frames = (frames - 1) // 4 + 1 + references
        return latent_frames * (height // self.spatial // 2) * (width // self.spatial // 2)

    def operations(self, tokens: int, text_length: int) -> float:
        """Floating-point operations of one forward pass: matrix products, two per multiply-add."""
        d, f = self.width, self.feed_forward
        block = (
            2 * tokens * (4 * d * d + 2 * d * d + 2 * d * f)
            + 2 * text_length * 2 * d * d
            + 4 * tokens * tokens * d
            + 4 * tokens * text_length * d
        )
        hints = len(self.vace_layers)
        return float((self.layers + hints) * block + 2 * tokens * d * d * (hints + (1 if hints else 0)))

    def activation_bytes(self, tokens: int, bytes_per_value: int) -> int:
        """A rough peak of what one forward pass holds beside the weights, and every hint of a VACE branch.

        72 bytes per channel of a token in 16 bits, as the difference between the published peaks of Wan2.2's
        A14B at 480p and 720p says: states and their modulated copies in float32, queries, keys, values, and
        the feed-forward part.
        """
        per_channel = 40 + (16 + len(self.vace_layers)) * bytes_per_value
        return tokens * self.width * per_channel


_14B: dict[str, Any] = {"width": 5120, "feed_forward": 13824, "layers": 40, "heads": 40}
_1B: dict[str, Any] = {"width": 1536, "feed_forward": 8960, "layers": 30, "heads": 12}
_TINY: dict[str, Any] = {"width": 24, "feed_forward": 48, "heads": 2, "text_width": 32, "time_width": 32}
_SMALL: dict[str, Any] = {"text_gb": 0.0001, "vae_gb": 0.0002}

ARCHITECTURES = {
    "wan-1.3b": Architecture(**_1B),
    "wan-14b": Architecture(**_14B),
    "vace-1.3b": Architecture(**_1B, vace_layers=tuple(range(0, 30, 2))),
    "vace-14b": Architecture(**_14B, vace_layers=tuple(range(0, 40, 5))),
    "vace-a14b": Architecture(**_14B, vace_layers=tuple(range(0, 40, 5)), experts=2),
    "i2v-a14b": Architecture(**_14B, in_channels=36, experts=2),
    "ti2v-5b": Architecture(
        width=3072,
        feed_forward=14336,
        layers=30,
        heads=24,
        in_channels=48,
        out_channels=48,
        spatial=16,
        vae_gb=2.8,
        vae_mflop=18.9,
    ),
    "tiny-vace": Architecture(**_TINY, **_SMALL, layers=6, vace_layers=(0, 2, 4)),
    "tiny-vace-a14b": Architecture(**_TINY, **_SMALL, layers=6, vace_layers=(0, 2, 4), experts=2),
    "tiny-wan": Architecture(**_TINY, **_SMALL, layers=4),
    "tiny-ti2v": Architecture(**_TINY, **_SMALL, layers=3, in_channels=48, out_channels=48, spatial=16),
    "tiny-i2v": Architecture(**_TINY, **_SMALL, layers=3, in_channels=36, experts=2),
}


def architecture(name: str) -> Architecture:
    """The architecture of this name.

    Raises:
        SettingsError: there is none.
    """
    if name not in ARCHITECTURES:
        raise SettingsError(f"there is no architecture {name!r}", hint=did_you_mean(name, ARCHITECTURES))
    return ARCHITECTURES[name]
