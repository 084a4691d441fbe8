"""Decoding of untrusted videos in processes of their own."""

from ipvg_eval.decoding.process import DecoderProcess, OpenVideo

__all__ = ["DecoderProcess", "OpenVideo"]
