"""Scoring in the course of a training."""
