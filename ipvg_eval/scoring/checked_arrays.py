"""Frames and pictures that come as arrays: what they are, or in one message why they cannot be used."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.measurement import Frames

if TYPE_CHECKING:
    import torch

_ARRAY = "(n, height, width, 3)"
_TENSOR = "(n, 3, height, width)"


def checked_frames(frames: Any) -> npt.NDArray[np.uint8] | torch.Tensor:
    """The frames as an array (n, height, width, 3) or a tensor (n, 3, height, width), uint8, not empty.

    Raises:
        UsageError: they are something else.
    """
    if isinstance(frames, list | tuple):
        frames = _stacked(frames)
    if isinstance(frames, np.ndarray):
        _check_shape(frames.shape, channels=3)
        _check_values(frames, "frames")
        return frames
    if is_tensor(frames):
        _check_place(frames)
        _check_shape(tuple(frames.shape), channels=1)
        _check_values(frames, "frames")
        tensor: torch.Tensor = frames.detach()
        return tensor
    raise UsageError(
        f"frames cannot be a {type(frames).__name__}",
        hint=f"Give a file, an array {_ARRAY} or a torch tensor {_TENSOR}, uint8, or a list of pictures.",
    )


def checked_pixels(picture: Any) -> Frames:
    """One picture as (height, width, 3) uint8, from an array like that or a tensor (3, height, width).

    Raises:
        UsageError: it is something else.
    """
    tensor = is_tensor(picture)
    if tensor:
        _check_place(picture)
    if picture.ndim != 3 or picture.shape[0 if tensor else 2] != 3 or 0 in picture.shape:
        raise UsageError(
            f"a reference of the shape {tuple(picture.shape)}; arrays are (height, width, 3), tensors "
            "(3, height, width)",
            hint="Turn its axes; give several references as a list.",
        )
    _check_values(picture, "picture")
    pixels = picture.detach().permute(1, 2, 0).cpu().numpy() if tensor else picture
    return np.ascontiguousarray(pixels)


def warn_of_bits(frames: npt.NDArray[np.uint8] | torch.Tensor) -> None:
    """Say it where every pixel is 0 or 1: frames of 0 to 1 that were cast and not scaled.

    That is the one mistake that pixels show for certain: red and blue that were swapped are just colours.
    """
    if int(frames[0].max()) <= 1 and int(frames.max()) == 1:
        warnings.warn(
            "every pixel of these frames is 0 or 1: frames of 0 to 1 are multiplied by 255 before they "
            "become uint8",
            stacklevel=5,
        )


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor of torch's, which need not be loaded to know."""
    return any(cls.__module__ == "torch" and cls.__name__ == "Tensor" for cls in type(value).__mro__)


def _stacked(pictures: Sequence[Any]) -> npt.NDArray[Any]:
    if not pictures:
        raise UsageError("the clip is empty", hint="Give at least one frame.")
    arrays = [
        np.asarray(picture.convert("RGB")) if isinstance(picture, Image.Image) else picture
        for picture in pictures
    ]
    if not all(isinstance(array, np.ndarray) for array in arrays):
        raise UsageError(
            f"a list of {type(pictures[0]).__name__} is no clip",
            hint="A list has one picture per frame, Pillow's or arrays (height, width, 3) uint8; tensors go "
            "through torch.stack.",
        )
    shapes = list(dict.fromkeys(array.shape for array in arrays))
    if len(shapes) > 1:
        raise UsageError(f"frames have the shapes {shapes[0]} and {shapes[1]}", hint="Make them alike.")
    return np.stack(arrays)


def _check_place(tensor: Any) -> None:
    if tensor.device.type == "meta":
        raise UsageError("the frames are on torch's device meta, where tensors have no values")
    if str(tensor.layout) != "torch.strided":
        raise UsageError(f"the frames are a tensor of the layout {tensor.layout}", hint="Use .to_dense().")


def _check_shape(shape: tuple[int, ...], *, channels: int) -> None:
    if len(shape) == 4 and shape[channels] == 3:
        if 0 in shape:
            raise UsageError(f"the clip is empty: its shape is {shape}", hint="Give at least one frame.")
        return
    turn = "transpose" if channels == 3 else "permute"
    if len(shape) == 5:
        hint = "There is a batch dimension: give one clip per call, such as frames[0]."
    elif len(shape) == 3 and shape[channels - 1] == 3:
        hint = "A clip of one frame is frames[None]."
    elif len(shape) == 4 and 3 in (shape[0], shape[1], shape[3]):
        now = {1: "n c h w", 3: "n h w c", 0: "c n h w"}[next(k for k in (1, 3, 0) if shape[k] == 3)].split()
        order = [now.index(axis) for axis in ("n h w c" if channels == 3 else "n c h w").split()]
        hint = f"Turn the axes: frames.{turn}({', '.join(map(str, order))})."
    elif len(shape) == 4 and shape[channels] == 4:
        hint = f"Leave out what is transparent: {'frames[..., :3]' if channels == 3 else 'frames[:, :3]'}."
    else:
        hint = "Frames have three channels, red, green and blue."
    wanted = f"arrays are {_ARRAY}" if channels == 3 else f"tensors are {_TENSOR}"
    raise UsageError(f"frames of the shape {shape}; {wanted}", hint=hint)


def _is_bytes(values: Any) -> bool:
    return str(values.dtype).removeprefix("torch.") == "uint8"


def _check_values(values: Any, name: str) -> None:
    """Only uint8 is certain: a float may be of 0 to 1, of 0 to 255 or of -1 to 1."""
    if _is_bytes(values):
        return
    kind = str(values.dtype).removeprefix("torch.")
    cast = ".astype(np.uint8)" if isinstance(values, np.ndarray) else ".to(torch.uint8)"
    said, hint = f"{name} of {kind}, not uint8", f"Bring it to 0 to 255, then .round(){cast}."
    floats = "float" in kind
    if 0 not in values.shape and (floats or "int" in kind):
        low, high = float(values.min()), float(values.max())
        if math.isnan(low) or math.isnan(high):
            raise UsageError(f"{name} of {kind}, and not all of it numbers", hint="Look for NaN.")
        said = f"{name} of {kind} from {low:.4g} to {high:.4g}, not uint8"
        if floats and kind != "float32" and kind != "float64":  # too few digits to scale it as it is
            name += ".astype(np.float32)" if isinstance(values, np.ndarray) else ".float()"
        if floats and low >= 0 and high <= 1:
            hint = f"If that is 0 to 1: ({name} * 255).round(){cast}."
        elif floats and low >= -1 and high <= 1:
            hint = f"If that is -1 to 1: (({name} + 1) * 127.5).round(){cast}."
        elif low >= 0 and high <= 255:
            hint = f"That is no 0 to 1. If it is 0 to 255: {name}{'.round()' if floats else ''}{cast}."
    raise UsageError(said, hint=hint)
