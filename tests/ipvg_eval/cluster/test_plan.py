"""Fitting workers into a cluster that is described, not started."""

from __future__ import annotations

import pytest

from ipvg_eval.cluster.plan import check_request, plan_workers
from ipvg_eval.core.errors import Unavailable, UsageError

HEAD = {"CPU": 0.0, "memory": 1e9}
CPU_NODE = {"CPU": 8.0}
GPU_NODE = {"CPU": 16.0, "GPU": 4.0}


@pytest.mark.parametrize(
    ("nodes", "gpus", "device", "workers", "each"),
    [
        ([CPU_NODE], None, "auto", 8, 0),
        ([HEAD, CPU_NODE, CPU_NODE], None, "auto", 16, 0),
        ([HEAD, GPU_NODE, GPU_NODE], None, "auto", 8, 1),
        ([GPU_NODE], None, "cpu", 16, 0),
        ([GPU_NODE], 0.0, "auto", 16, 0),
        ([GPU_NODE], 0.5, "auto", 8, 0.5),
        ([GPU_NODE], 0.4, "auto", 8, 0.4),
        ([GPU_NODE], 2.0, "auto", 2, 2),
        ([{"CPU": 3.0, "GPU": 4.0}], None, "auto", 3, 1),
        ([GPU_NODE, CPU_NODE], 3.0, "cuda", 1, 3),
    ],
)
def test_as_many_workers_as_fit(nodes, gpus, device, workers, each):
    plan = plan_workers(nodes, workers=None, gpus_per_worker=gpus, device=device)
    assert (plan.workers, plan.fitting, plan.gpus) == (workers, workers, each)
    assert plan.device == ("cuda" if each else "cpu")


def test_more_workers_than_fit_wait_for_their_turn():
    plan = plan_workers([CPU_NODE], workers=20, gpus_per_worker=None, device="auto")
    assert (plan.workers, plan.fitting) == (20, 8)


@pytest.mark.parametrize(
    ("nodes", "gpus", "device"),
    [
        ([], None, "auto"),
        ([HEAD], None, "auto"),
        ([CPU_NODE], 1.0, "auto"),
        ([CPU_NODE], None, "cuda"),
        ([GPU_NODE, GPU_NODE], 5.0, "auto"),
    ],
)
def test_no_room_for_a_single_worker_is_an_error_that_says_what_there_is(nodes, gpus, device):
    with pytest.raises(Unavailable, match=f"no worker fits.*{len(nodes)} node") as caught:
        plan_workers(nodes, workers=1, gpus_per_worker=gpus, device=device)
    assert caught.value.exit_code == 3
    assert "--gpus-per-worker" in caught.value.hint


@pytest.mark.parametrize(
    "request_",
    [
        {"workers": 0},
        {"workers": -1},
        {"gpus_per_worker": -1.0},
        {"gpus_per_worker": 1.5},
        {"gpus_per_worker": float("nan")},
        {"gpus_per_worker": float("inf")},
        {"device": "cuda:1"},
        {"device": "mps"},
        {"device": "cpu", "gpus_per_worker": 1.0},
        {"device": "cuda", "gpus_per_worker": 0.0},
    ],
)
def test_requests_that_make_no_sense_are_usage_errors(request_):
    with pytest.raises(UsageError) as caught:
        check_request(**{"workers": None, "gpus_per_worker": None, "device": "auto", **request_})
    assert caught.value.exit_code == 2
