"""Baseline systems that submit like a team."""
