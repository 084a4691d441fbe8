"""Decoding of untrusted videos in processes of their own, ahead of whoever measures them."""

from ipvg_eval.decoding.limits import DecodeLimits
from ipvg_eval.decoding.process import DecoderProcess, OpenVideo

__all__ = ["DecodeLimits", "DecoderProcess", "OpenVideo"]
