"""Protocols: which metrics run with which rules. The YAML files beside this are the shipped ones."""
