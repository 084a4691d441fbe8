"""The committed metric cards are the ones the specs give."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipvg_eval.metrics.cards import cards
from ipvg_eval.metrics.corpus import CORPUS_METRICS, corpus_metric
from ipvg_eval.metrics.formulas import FORMULAS
from ipvg_eval.metrics.registry import EVALUATORS, evaluator_class
from ipvg_eval.metrics.weights import WEIGHTS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "metrics"
SPECS = [spec for kind in EVALUATORS for spec in evaluator_class(kind).SPECS]
SPECS += [corpus_metric(name).spec for name in CORPUS_METRICS]


def test_the_committed_cards_are_current():
    """If this fails, run: python -m ipvg_eval.metrics.cards docs/metrics."""
    written = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    assert written == cards()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_spec_says_everything_a_card_needs(spec):
    assert spec.title
    assert spec.summary.endswith(".")
    assert spec.source
    assert spec.caveats.endswith(".")
    low, high = spec.bounds
    assert low is None or high is None or low < high


def test_every_metric_has_its_formula():
    assert FORMULAS.keys() == {spec.name for spec in SPECS}


@pytest.mark.parametrize("kind", EVALUATORS)
def test_the_weights_a_spec_names_are_declared(kind):
    """MTCNN's three networks are one entry: they come with their package."""
    named = {name for spec in evaluator_class(kind).SPECS for name in spec.weights}
    assert {name for name in named if not name.startswith("mtcnn_")} <= set(WEIGHTS)


@pytest.mark.parametrize("kind", EVALUATORS)
def test_weights_and_metrics_name_each_other(kind):
    for spec in evaluator_class(kind).SPECS:
        declared = [WEIGHTS[name] for name in spec.weights if name in WEIGHTS]
        assert [weight.name for weight in declared if spec.name not in weight.used_by] == [], spec.name


@pytest.mark.parametrize("kind", EVALUATORS)
def test_the_budget_option_exists(kind):
    cls = evaluator_class(kind)
    assert cls.BUDGET is None or cls.BUDGET in cls.Options.model_fields
