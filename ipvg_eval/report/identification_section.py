"""The page's section about whose face is shown, where the run kept embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup

from ipvg_eval.core.page import Album, Drawing, Picture, Scale
from ipvg_eval.core.summary import Identification
from ipvg_eval.results.reading import Run

_WIDTH, _HEIGHT = 460, 150
_MARGINS = (38, 28, 12, 36)


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
    series = (
        ("other people's references", one.others, "var(--muted)"),
        ("own reference", one.own, "var(--accent)"),
    )
    highest = max(count / max(sum(counts), 1) for _, counts, _ in series for count in counts)
    drawing = Drawing(width=_WIDTH, height=_HEIGHT, margins=_MARGINS)
    x = Scale(low=one.edges[0], high=one.edges[-1], start=0, end=_WIDTH)
    y = Scale(low=0, high=100 * highest or 1, start=_HEIGHT, end=0)
    drawing.left_axis(y, y.ticks(3))
    for place, (whose, counts, colour) in enumerate(series):
        for low, high, count in zip(one.edges, one.edges[1:], counts, strict=False):
            if count:
                top = y(100 * count / sum(counts))
                drawing.rectangle(x(low), top, x(high) - x(low), _HEIGHT - top, colour, opacity=0.65)
        drawing.rectangle(place * 180, -22, 10, 10, colour, opacity=0.65)
        drawing.text(place * 180 + 15, -17, f"{whose}, %", "var(--muted)", anchor="start")
    if one.threshold is not None:
        drawing.line(x(one.threshold), 0, x(one.threshold), _HEIGHT, "var(--bad)")
    drawing.bottom_axis(x, x.ticks(6))
    drawing.text(_WIDTH / 2, _HEIGHT + 26, "cosine", "var(--muted)")
    return drawing.markup()
