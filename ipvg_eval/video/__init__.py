"""Reading videos: headers, the list of frames, and the pixels of the wanted ones."""

from ipvg_eval.video.check import FrameCheck, check_all_frames, first_frame
from ipvg_eval.video.decode import Batch, Decoding, decode, decoder_version, frames_per_batch
from ipvg_eval.video.header import VideoHeader, probe
from ipvg_eval.video.index import FrameIndex, index_frames
from ipvg_eval.video.sound import read_sound

__all__ = [
    "Batch",
    "Decoding",
    "FrameCheck",
    "FrameIndex",
    "VideoHeader",
    "check_all_frames",
    "decode",
    "decoder_version",
    "first_frame",
    "frames_per_batch",
    "index_frames",
    "probe",
    "read_sound",
]
