"""Frame rules against the published table and the library they come from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipvg_eval.metrics.sampling import linspace_indices


def test_sixteen_of_eighty_one_is_the_published_table():
    assert linspace_indices(81, 16) == (0, 5, 10, 16, 21, 26, 32, 37, 42, 48, 53, 58, 64, 69, 74, 80)


@given(count=st.integers(1, 5000), wanted=st.integers(1, 64))
def test_indices_are_the_floor_of_numpys_linspace(count, wanted):
    indices = linspace_indices(count, wanted)
    assert list(indices) == sorted(set(indices))
    if count > wanted:
        assert indices == tuple(np.floor(np.linspace(0, count - 1, wanted)).astype(int))
    else:
        assert indices == tuple(range(count))


def test_edges():
    assert linspace_indices(0, 16) == ()
    assert linspace_indices(5, 0) == ()
    with pytest.raises(ValueError, match="negative"):
        linspace_indices(-1, 2)
