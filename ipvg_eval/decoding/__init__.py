"""Decoding of untrusted videos and pictures in processes of their own."""

from ipvg_eval.decoding.pictures import PictureProcess
from ipvg_eval.decoding.process import DecoderProcess, OpenVideo

__all__ = ["DecoderProcess", "OpenVideo", "PictureProcess"]
