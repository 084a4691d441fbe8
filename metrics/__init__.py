"""Measurements of identity-preserving video: maths, networks, evaluators and protocols.

Nothing here imports the command line, the submission reader or the leaderboard, and
importing this package does not import torch.
"""
