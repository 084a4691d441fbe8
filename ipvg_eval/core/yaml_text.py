"""Reading YAML that may come from a stranger."""

from __future__ import annotations

from typing import Any

import yaml

_LONGEST = 2**20
_MOST_NODES = 100_000


def read_yaml(text: str) -> Any:
    """The content of a YAML text, by safe rules.

    A few lines of aliases and merge keys can stand for billions of nodes, so they are counted as if each were
    written out, before anything is built from them.

    Raises:
        yaml.YAMLError: it is no YAML.
        ValueError: it is too long, stands for too much, or contains itself.
        RecursionError: it is nested too deeply.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"it has {len(text):,} characters, at most {_LONGEST:,} are taken")
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _nodes(node, {}) > _MOST_NODES:
            raise ValueError(f"it stands for more than {_MOST_NODES:,} values")
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _nodes(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many nodes there are with every alias written out."""
    if (count := known.get(id(node), 0)) is None:
        raise ValueError("it contains itself")
    if count:
        return count
    known[id(node)] = None
    total = 1
    if isinstance(node, yaml.SequenceNode):
        total += sum(_nodes(child, known) for child in node.value)
    elif isinstance(node, yaml.MappingNode):
        total += sum(_nodes(child, known) for pair in node.value for child in pair)
    known[id(node)] = total
    return total
