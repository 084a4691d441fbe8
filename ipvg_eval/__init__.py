"""Evaluation and leaderboard toolkit for identity-preserving video generation."""
