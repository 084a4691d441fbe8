"""Choosing per sample."""
