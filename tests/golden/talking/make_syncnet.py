"""Make syncnet.npz with the published SyncNet package and MFCC on seeded weights.

Run by hand in a throwaway environment:

    python -m venv old
    old/bin/pip install torch opencv-python-headless scipy python_speech_features==0.6
    old/bin/pip install --no-deps syncnet-python==0.2.3
    old/bin/python tests/golden/talking/make_syncnet.py
"""

from __future__ import annotations

import argparse
import tempfile
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import python_speech_features
import seeded
import torch
from scipy.io import wavfile
from syncnet_python.SyncNetInstance import SyncNetInstance, calc_pdist
from syncnet_python.SyncNetModel import S

SHOWN = 16
"""Numbers of each embedding that are kept."""


def main() -> None:
    """Write syncnet.npz beside this file."""
    torch.set_num_threads(1)
    network = S(num_layers_in_fc_layers=1024).eval()
    with torch.no_grad():
        seeded.fill(network.state_dict())
    rows = np.asarray(python_speech_features.mfcc(seeded.sound(), 16000))
    with tempfile.TemporaryDirectory() as folder:
        for number, crop in enumerate(seeded.crops()):
            # OpenCV goes by the content: a PNG loses nothing under the name that the script looks for.
            done, data = cv2.imencode(".png", crop[..., ::-1])
            assert done
            (Path(folder) / f"{number:06d}.jpg").write_bytes(data.tobytes())
        wavfile.write(Path(folder) / "audio.wav", 16000, seeded.sound())
        options = argparse.Namespace(tmp_dir=folder, batch_size=5, vshift=15)
        with torch.no_grad():
            offset, confidence, distance = SyncNetInstance(network, device="cpu").evaluate(options)
    windows = seeded.FRAMES - 5
    pixels = torch.from_numpy(np.ascontiguousarray(seeded.crops()[..., ::-1])).float().permute(3, 0, 1, 2)
    with torch.no_grad():
        lips = torch.cat([network.forward_lip(pixels[None, :, i : i + 5]) for i in range(windows)])
        cepstra = torch.from_numpy(rows.T.copy()).float()[None, None]
        sounds = torch.cat([network.forward_aud(cepstra[..., 4 * i : 4 * i + 20]) for i in range(windows)])
    means = torch.stack(calc_pdist(lips, sounds, vshift=15), 1).mean(1)
    np.savez(
        Path(__file__).with_name("syncnet.npz"),
        mfcc=rows,
        lips=lips[:, :SHOWN].numpy(),
        sounds=sounds[:, :SHOWN].numpy(),
        means=means.numpy(),
        scores=np.array([offset, confidence, distance]),
        made_with=np.array(
            f"syncnet-python {version('syncnet-python')}, python_speech_features "
            f"{version('python_speech_features')}, torch {torch.__version__}"
        ),
    )


if __name__ == "__main__":
    main()
