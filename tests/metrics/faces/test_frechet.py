from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_fid.fid_score import calculate_frechet_distance

from ipvg_eval.core.measurement import FrameFeatures
from ipvg_eval.metrics.faces.frechet import corpus_face_fid, covariance, frechet_distance, gaussian_distance

# pytorch-fid 0.3.0 passes an argument that scipy 1.18 drops.
pytestmark = pytest.mark.filterwarnings("ignore:The `disp` argument is deprecated:DeprecationWarning")


def _correlated(seed: int, count: int, width: int, shift: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(width, width)) / np.sqrt(width)
    return rng.normal(size=(count, width)) @ mixing + shift


def test_diagonal_gaussians_have_the_closed_form():
    # |m1 - m2|^2 + sum (sqrt s1 - sqrt s2)^2 = (9 + 16 + 0) + (1 + 4 + 0)
    mean1, mean2 = np.array([3.0, 0.0, 1.0]), np.array([0.0, 4.0, 1.0])
    cov1, cov2 = np.diag([4.0, 1.0, 7.0]), np.diag([1.0, 9.0, 7.0])
    assert gaussian_distance(mean1, cov1, mean2, cov2) == pytest.approx(30.0, rel=1e-12)


def test_points_are_the_squared_distance():
    zero = np.zeros((2, 2))
    assert gaussian_distance(np.array([1.0, 2.0]), zero, np.array([4.0, 6.0]), zero) == 25.0


@pytest.mark.parametrize("count", [20, 300])
def test_a_sample_is_at_distance_zero_of_itself_and_shifting_it_adds_the_square(count):
    sample = _correlated(1, count, 64)
    scale = float(np.trace(covariance(sample)))
    assert frechet_distance(sample, sample) == pytest.approx(0.0, abs=1e-9 * scale)
    assert frechet_distance(sample, sample + 0.5) == pytest.approx(64 * 0.25, rel=1e-9)


@pytest.mark.parametrize(("first", "second"), [(30, 40), (30, 500), (400, 500)])
def test_all_three_forms_and_pytorch_fid_agree(first, second):
    a, b = _correlated(2, first, 64), _correlated(3, second, 64, shift=0.2)
    symmetric = gaussian_distance(a.mean(0), covariance(a), b.mean(0), covariance(b))
    eigenvalues = scipy.linalg.eigvals(covariance(a) @ covariance(b)).real
    product = (
        np.square(a.mean(0) - b.mean(0)).sum()
        + np.trace(covariance(a))
        + np.trace(covariance(b))
        - 2 * np.sqrt(np.clip(eigenvalues, 0, None)).sum()
    )
    root1 = (a - a.mean(0)) / np.sqrt(first - 1)
    root2 = (b - b.mean(0)) / np.sqrt(second - 1)
    nuclear = np.linalg.norm(root1 @ root2.T, "nuc")
    few = product + 2 * np.sqrt(np.clip(eigenvalues, 0, None)).sum() - 2 * nuclear
    # Eigenvalues that are 0 but for rounding enter the first two forms with their root.
    assert symmetric == pytest.approx(few, rel=1e-5)
    assert product == pytest.approx(few, rel=1e-5)
    assert frechet_distance(a, b) == pytest.approx(few, rel=1e-5)
    if min(first, second) > 64:
        published = calculate_frechet_distance(
            a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False)
        )
        assert frechet_distance(a, b) == pytest.approx(published, rel=1e-9)


def test_few_samples_in_many_dimensions_agree_with_pytorch_fid():
    a, b = _correlated(4, 12, 48), _correlated(5, 20, 48, shift=1.0)
    published = calculate_frechet_distance(
        a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False)
    )
    assert frechet_distance(a, b) == pytest.approx(
        published, rel=1e-4
    )  # it adds 1e-6 to singular covariances


def test_covariance_is_numpys():
    sample = _correlated(6, 50, 20)
    np.testing.assert_allclose(covariance(sample), np.cov(sample, rowvar=False), rtol=1e-12, atol=1e-15)


def test_a_symmetric_solver_on_the_product_gives_another_number():
    """What the published per-frame code would compute were its covariances not zero."""
    a, b = _correlated(7, 300, 64), _correlated(8, 300, 64)
    values, vectors = np.linalg.eigh(covariance(a) @ covariance(b))
    wrong_root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    product = covariance(a) @ covariance(b)
    assert np.linalg.norm(wrong_root @ wrong_root - product) > 0.3 * np.linalg.norm(product)
    means = np.square(a.mean(0) - b.mean(0)).sum()
    wrong = means + np.trace(covariance(a) + covariance(b) - 2 * wrong_root)
    assert abs(wrong - frechet_distance(a, b)) > 0.05 * frechet_distance(a, b)


@settings(deadline=None, max_examples=50)
@given(
    seed=st.integers(0, 2**32 - 1),
    counts=st.tuples(st.integers(2, 30), st.integers(2, 30)),
    width=st.integers(1, 24),
    scale=st.sampled_from([1e-6, 1.0, 1e6]),
)
def test_it_is_finite_not_negative_symmetric_and_scales_with_the_square(seed, counts, width, scale):
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=(count, width)) * rng.uniform(0, 3, size=width) for count in counts)
    here = frechet_distance(a, b)
    size = np.square(a).mean() + np.square(b).mean() + 1e-300
    assert np.isfinite(here)
    assert here >= 0
    assert frechet_distance(b, a) == pytest.approx(here, rel=1e-6, abs=1e-6 * size)
    assert frechet_distance(a * scale, b * scale) == pytest.approx(
        here * scale**2, rel=1e-6, abs=1e-6 * size * scale**2
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.zeros((1, 3)), np.zeros((5, 3))),
        (np.zeros((5, 3)), np.zeros((0, 3))),
        (np.zeros((5, 3)), np.zeros((5, 4))),
        (np.full((5, 3), np.nan), np.zeros((5, 3))),
        (np.zeros(3), np.zeros((5, 3))),
    ],
)
def test_what_has_no_distance_is_refused(first, second):
    with pytest.raises(ValueError, match=r"covariance|width|finite"):
        frechet_distance(first, second)


def test_infinite_statistics_are_refused():
    with pytest.raises(ValueError, match="finite"):
        gaussian_distance(np.zeros(2), np.eye(2), np.zeros(2), np.diag([1.0, np.inf]))


def _features(rows, reference) -> FrameFeatures:
    rows = np.asarray(rows, dtype=np.float32)
    return FrameFeatures(indices=tuple(range(len(rows))), rows=rows, reference=reference)


def test_corpus_fid_counts_a_shared_reference_once():
    rng = np.random.default_rng(9)
    reference1, reference2 = rng.normal(size=(2, 6)).astype(np.float32)
    rows = rng.normal(size=(9, 6)).astype(np.float32)
    fid = corpus_face_fid(
        [
            _features(rows[:4], reference1),
            _features(np.empty((0, 6)), reference1),
            _features(rows[4:7], reference2),
            _features(rows[7:], None),
        ]
    )
    assert (fid.samples, fid.references, fid.reason) == (9, 2, None)
    assert fid.value == pytest.approx(frechet_distance(rows, np.stack([reference1, reference2])), rel=1e-12)


def test_corpus_fid_of_too_few_faces_is_missing_with_the_reason():
    reference = np.ones(6, dtype=np.float32)
    one = corpus_face_fid([_features(np.ones((1, 6)), reference)])
    assert (one.value, one.samples) == (None, 1)
    assert "generated" in one.reason
    several = corpus_face_fid([_features(np.eye(6), reference), _features(np.eye(6), reference.copy())])
    assert (several.value, several.references) == (None, 1)
    assert "reference" in several.reason
    assert corpus_face_fid([]).value is None
