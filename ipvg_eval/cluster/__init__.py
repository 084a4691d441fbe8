"""Scoring on many workers: Ray starts them, each measures as one machine does alone."""

from ipvg_eval.cluster.engine import RayEngine, ray_engine

__all__ = ["RayEngine", "ray_engine"]
