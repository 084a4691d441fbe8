"""The page's section about whose face is shown, where the run kept embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ipvg_eval.core.page import Album, Picture, draw
from ipvg_eval.core.summary import Identification
from ipvg_eval.results.reading import Run


@dataclass(frozen=True, kw_only=True)
class Network:
    """What one network's embeddings say, with its histogram."""

    found: Identification
    chart: Markup


@dataclass(frozen=True, kw_only=True)
class IdentificationSection:
    """What the template shows: thumbnails by sample, reference pictures by identity."""

    networks: tuple[Network, ...]
    strips: Mapping[str, Picture | None]
    faces: Mapping[str, Picture | None]


def identification_section(run: Run, album: Album) -> IdentificationSection | None:
    """The section, or None where no embeddings were kept."""
    networks = tuple(Network(found=one, chart=_chart(one)) for one in run.summary.identification)
    if not networks:
        return None
    confused = [confusion for network in networks for confusion in network.found.confusions]
    samples = dict.fromkeys(one.sample for one in confused)
    people = dict.fromkeys(name for one in confused for name in (one.identity, one.other))
    return IdentificationSection(
        networks=networks,
        strips={sample: album.picture(run.folder.thumbnail(sample)) for sample in samples},
        faces={name: album.picture(run.folder.reference(name)) for name in people},
    )


def _chart(one: Identification) -> Markup:
    """Two histograms on one axis, each as shares of its own total, and the threshold."""
    bins = [
        {"from": low, "to": high, "share": count / max(sum(counts), 1), "whose": whose}
        for whose, counts in (("other people's references", one.others), ("own reference", one.own))
        for low, high, count in zip(one.edges, one.edges[1:], counts, strict=False)
        if count
    ]
    x: dict[str, Any] = {
        "field": "from",
        "type": "quantitative",
        "title": "cosine",
        "bin": {"binned": True},
        "axis": {"tickCount": 6},
    }
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": bins},
            "mark": {"type": "bar", "opacity": 0.65},
            "encoding": {
                "x": x,
                "x2": {"field": "to"},
                "y": {
                    "field": "share",
                    "type": "quantitative",
                    "stack": None,
                    "title": "share",
                    "axis": {"tickCount": 3, "format": "%"},
                },
                "color": {
                    "field": "whose",
                    "type": "nominal",
                    "title": None,
                    "scale": {
                        "domain": ["own reference", "other people's references"],
                        "range": ["var(--accent)", "var(--muted)"],
                    },
                    "legend": {"orient": "top"},
                },
            },
        }
    ]
    if one.threshold is not None:
        rule = {"data": {"values": [{"at": one.threshold}]}, "mark": {"type": "rule", "color": "var(--bad)"}}
        layers.append({**rule, "encoding": {"x": {"field": "at", "type": "quantitative"}}})
    return draw({"width": 460, "height": 150, "layer": layers})
