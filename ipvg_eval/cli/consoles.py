"""stdout carries results, stderr carries progress and messages."""

from rich.console import Console

STDOUT = Console(highlight=False, emoji=False)
STDERR = Console(stderr=True, highlight=False, emoji=False)
