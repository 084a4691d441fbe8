"""Opening ONNX files for insightface's classes on the device that was asked for."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from ipvg_eval.metrics.errors import WeightsMissing
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.third_party import published_module

_QUIET = 3  # errors only: the published recogniser declares a batch of one and warns for every larger one


class RunsOnCpu(RuntimeWarning):
    """A network runs on the CPU although a GPU was asked for."""


def open_session(path: Path, runtime: Runtime) -> Any:
    """An onnxruntime session that uses as many threads as torch does.

    Args:
        path: the .onnx file.
        runtime: says which device; the file's name is added to its fallbacks if it runs on the CPU instead.

    Returns:
        An `onnxruntime.InferenceSession`.

    Raises:
        WeightsMissing: onnxruntime is not installed, or the file is no ONNX network.

    Warns:
        RunsOnCpu: a CUDA device was asked for and the network runs on the CPU.
    """
    onnxruntime = published_module("onnxruntime", package="onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = torch.get_num_threads()
    device, on_gpu = runtime.device, runtime.device.startswith("cuda")
    providers: list[Any] = ["CPUExecutionProvider"]
    if on_gpu and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        if hasattr(onnxruntime, "preload_dlls"):  # from 1.21: finds the CUDA libraries that came with torch
            onnxruntime.preload_dlls()
        number = int(device.partition(":")[2] or 0)
        providers.insert(0, ("CUDAExecutionProvider", {"device_id": number}))
    try:
        session = onnxruntime.InferenceSession(str(path), sess_options=options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise WeightsMissing(
            f"{path}: this file cannot be opened as an ONNX network ({error})",
            hint="Run: ipvg-eval weights verify",
        ) from error
    if on_gpu and session.get_providers()[0] != "CUDAExecutionProvider":
        runtime.fallbacks.append(path.name)
        warnings.warn(
            f"{path.name} RUNS ON THE CPU although {device} was asked for: onnxruntime has no working CUDA "
            "provider here. Scores agree to about 4e-4, but this is slow. Install onnxruntime-gpu in place "
            "of onnxruntime, or ask for the cpu.",
            RunsOnCpu,
            stacklevel=2,
        )
    return session
