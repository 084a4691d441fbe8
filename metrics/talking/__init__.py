"""Talking heads: sound, lip sync, landmarks, and the Fréchet distances of frames and clips."""
