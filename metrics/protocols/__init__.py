"""Protocols: which metrics run with which rules. The YAML files beside this are the shipped ones."""

from typing import Final

DEFAULT_PROTOCOL: Final = "ipvg"
"""The protocol a run has when none is named."""
