"""Loading a video pipeline from files on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from ipvg_eval.reference_generator.errors import ModelsMissing
from ipvg_eval.reference_generator.models import Found, shards_of
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.features import (
    check_runtime,
    dtype_of,
    load_loras,
    place,
    quantisation_config,
    resolve_device,
)
from ipvg_eval.reference_generator.systems.kinds.kind import WanKind
from ipvg_eval.reference_generator.systems.registry import kind_of


def quiet() -> None:
    """Keep the libraries' progress bars and remarks off the screen; errors still show."""
    import logging

    # Both speak while they are imported, about things that are not in use here.
    for name in ("bitsandbytes", "torch.utils._pytree"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    libraries: tuple[Any, ...] = (diffusers_logging, transformers_logging)
    for library in libraries:
        library.set_verbosity_error()
        library.disable_progress_bar()


def load_video_pipeline(settings: Settings, found: dict[str, Found]) -> Any:
    """A stock diffusers pipeline around a transformer with the system's guidance, on its device.

    Args:
        settings: the system.
        found: where the models lie, by use; "video" is a folder in diffusers' layout.

    Raises:
        SettingsError: settings exclude each other.
        ModelsMissing: a package or device is missing, or the files are not what they should be.
    """
    quiet()
    check_runtime(settings)
    device = resolve_device(settings.runtime.device)
    folder = found["video"].path
    try:
        pipeline = _load(settings, folder, found)
    except (OSError, ValueError) as error:
        raise ModelsMissing(
            f"the video model cannot be loaded ({error})",
            path=folder,
            hint="Fetch it again, or check --set model.path.",
        ) from error
    load_loras(pipeline, settings, found)
    place(pipeline, settings, device)
    return pipeline


def _load(settings: Settings, folder: Path, found: dict[str, Found]) -> Any:
    from diffusers import AutoencoderKLWan, UniPCMultistepScheduler

    kind = kind_of(settings.system)
    assert isinstance(kind, WanKind)
    pipeline_class, transformer_class = kind.classes()
    parts: dict[str, Any] = {
        # In half precision the VAE's answers show.
        "vae": AutoencoderKLWan.from_pretrained(
            folder, subfolder="vae", dtype=torch.float32, local_files_only=True
        )
    }
    for name in ("transformer", "transformer_2"):
        if (folder / name).is_dir():
            parts[name] = _transformer(transformer_class, settings, folder, name, found)
    pipeline = pipeline_class.from_pretrained(
        folder, **parts, dtype=dtype_of(settings), local_files_only=True
    )
    pipeline.scheduler = UniPCMultistepScheduler.from_config(
        pipeline.scheduler.config,
        prediction_type="flow_prediction",
        use_flow_sigmas=True,
        flow_shift=settings.sampling.shift,
    )
    if settings.sampling.boundary is not None and "transformer_2" in parts:
        pipeline.register_to_config(boundary_ratio=settings.sampling.boundary)
    _check_text_encoder(pipeline.text_encoder)
    return pipeline


def _transformer(kind: Any, settings: Settings, folder: Path, name: str, found: dict[str, Found]) -> Any:
    options: dict[str, Any] = {"dtype": dtype_of(settings), "local_files_only": True}
    quantisation = quantisation_config(settings)
    if quantisation is not None:
        options["quantization_config"] = quantisation
    use = {"transformer": "weights", "transformer_2": "weights_2"}[name]
    if use in found:
        return kind.from_single_file(
            _checkpoint(found[use].path), config=str(folder), subfolder=name, **options
        )
    return kind.from_pretrained(folder, subfolder=name, **options)


def _checkpoint(path: Path) -> str | dict[str, torch.Tensor]:
    """What diffusers reads a checkpoint from: a file, or the tensors of all shards that an index names."""
    if not path.name.endswith(".index.json"):
        return str(path)
    from safetensors.torch import load_file

    tensors: dict[str, torch.Tensor] = {}
    for shard in shards_of(path):
        tensors |= load_file(shard)
    return tensors


def _check_text_encoder(encoder: Any) -> None:
    """Some versions of transformers leave UMT5's token embedding untied, and so random."""
    shared, tokens = encoder.shared.weight, encoder.encoder.embed_tokens.weight
    if shared.data_ptr() != tokens.data_ptr() and not torch.equal(shared, tokens):
        raise ModelsMissing(
            "the text encoder's token embedding was not loaded",
            hint="Install a version of transformers that ties UMT5's embed_tokens, such as 5.23.",
        )
