"""Presence of an action as a vision-language model's yes or no."""
