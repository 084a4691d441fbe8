"""Systems of kind "http" against a local server: what is paid, goes on, is kept secret or refused."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest
import yaml
from video_server import Behaviour, video_server

from ipvg_eval.reference_generator.errors import (
    CostCapReached,
    SameFailureAgain,
    SettingsError,
    SystemUnusable,
)
from ipvg_eval.reference_generator.preset import load_settings
from ipvg_eval.reference_generator.record import records_folder
from ipvg_eval.reference_generator.run import generate

SECRET = "sk-cloud-0123456789"
SMALL = {"size": (64, 64), "frames": 5}


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("CLOUD", SECRET)  # a name that says nothing of secrets


@pytest.fixture
def preset(tmp_path):
    """A preset for a server that takes JSON, with changes to its section `http`."""

    def write(address, *changes, **http):
        values = {
            "kind": "http",
            "title": "A cloud",
            "video": {"width": 64, "height": 64, "frames": 5, "fps": 16},
            "http": {
                "base_url": address,
                "headers": {"Authorization": "Bearer {env:CLOUD}"},
                "submit": {
                    "path": "/videos",
                    "body": {"prompt": "{prompt}", "in": {"pictures": ["{refs_base64}"]}},
                },
                "poll": "/videos/{job}",
                "download": "/videos/{job}/content",
                "poll_seconds": 0.001,
            }
            | http,
        }
        path = tmp_path / "cloud.yaml"
        path.write_text(yaml.safe_dump(values))
        return load_settings(str(path), changes)

    return write


def ordered(server):
    return sum(method == "POST" for method, _, _ in server.seen)


def test_an_order_that_outlived_its_run_is_asked_for_and_not_paid_again(preset, jobs, tmp_path):
    server, out = Behaviour(**SMALL, open_until=99), tmp_path / "out"
    with video_server(server) as address:
        left = generate(jobs[:1], preset(address, timeout=0.01), out).failed
        assert "still 'queued' after 0.01 s; the next run asks for it again" in left[0].reason
        server.open_until = 0
        outcome = generate(jobs[:1], preset(address, timeout=60), out)
    assert len(outcome.made) == 1
    assert ordered(server) == 1
    pictures = server.orders["1"].fields["in"]["pictures"]
    assert len(pictures) == 1
    assert pictures[0].startswith("iVBOR")  # base64 of the first bytes of every PNG


def test_an_answer_that_never_came_is_not_paid_twice_unless_one_says_so(preset, jobs, tmp_path):
    server, out = Behaviour(**SMALL, answers=[0]), tmp_path / "out"
    with video_server(server) as address:
        assert "connection to the server broke" in generate(jobs[:1], preset(address), out).failed[0].reason
        again = generate(jobs[:1], preset(address), out).failed[0]
        assert "may be charged already" in again.reason
        assert ordered(server) == 1
        assert len(generate(jobs[:1], preset(address, resubmit=True), out).made) == 1
    assert ordered(server) == 2


def test_a_server_that_knows_its_orders_gets_the_same_one_again(preset, jobs, tmp_path):
    server = Behaviour(**SMALL, answers=[0])
    with video_server(server) as address:
        outcome = generate(jobs[:1], preset(address, idempotency_header="Idempotency-Key"), tmp_path / "out")
    assert len(outcome.made) == 1
    assert len(server.keys) == 2
    assert len(set(server.keys)) == len(server.orders) == 1


def test_the_cost_cap_holds_before_the_first_order_and_over_all_runs(preset, jobs, tmp_path):
    server, out = Behaviour(**SMALL), tmp_path / "out"
    with video_server(server) as address:
        settings = preset(address, price=0.1, cost_cap=0.2)
        with pytest.raises(CostCapReached, match=r"3 videos at 0.1 cost 0.3, 0 are spent") as raised:
            generate(jobs, settings, out)
        assert (raised.value.exit_code, raised.value.hint[:14]) == (2, "Make at most 2")
        assert server.seen == []
        assert len(generate(jobs[:2], settings, out).made) == 2
        with pytest.raises(CostCapReached, match=r"0\.2 are spent"):
            generate(jobs, settings, out)
    assert ordered(server) == 2


def test_several_orders_are_open_at_the_same_time(preset, jobs, tmp_path):
    server = Behaviour(**SMALL, open_until=3)  # no video is done before all three are ordered
    with video_server(server) as address:
        assert len(generate(jobs, preset(address, concurrency=3), tmp_path / "out").made) == 3


def test_a_refused_key_ends_the_run_and_is_not_shown(preset, jobs, tmp_path):
    server = Behaviour(answers=[401], body=f"no: {SECRET}")
    with video_server(server) as address, pytest.raises(SystemUnusable) as raised:
        generate(jobs, preset(address), tmp_path / "out")
    assert (raised.value.exit_code, raised.value.hint) == (3, "Check $CLOUD.")
    assert str(raised.value) == "the server refuses the key (status 401: no: ***)"
    assert ordered(server) == 1


def test_no_file_and_no_reason_holds_the_key(preset, jobs, tmp_path):
    server = Behaviour(states=("failed",), body=f"{SECRET} is over its quota")
    with video_server(server) as address, pytest.raises(SameFailureAgain) as raised:
        generate(jobs, preset(address), tmp_path / "out")
    assert "gave up on the video: *** is over its quota" in str(raised.value)
    files = [path for path in records_folder(tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert [path for path in files if SECRET in path.read_text()] == []


def test_a_busy_server_is_asked_again_and_a_broken_one_is_not_believed(preset, jobs, tmp_path):
    server = Behaviour(**SMALL, answers=[429, 503, 200, 500])
    with video_server(server) as address:
        outcome = generate(jobs[:2], preset(address), tmp_path / "out")
    assert len(outcome.made) == 1
    assert "status 500" in outcome.failed[0].reason
    assert ordered(server) == 4, "a server that broke may have taken the order"


def test_the_key_does_not_follow_to_another_server(preset, jobs, tmp_path):
    store = Behaviour(**SMALL)
    with video_server(store) as elsewhere:
        server = Behaviour(elsewhere=elsewhere)
        store.orders = server.orders
        with video_server(server) as address:
            assert len(generate(jobs[:1], preset(address), tmp_path / "out").made) == 1
    assert {key for _, _, key in server.seen} == {f"Bearer {SECRET}"}
    assert store.seen == [("GET", "/v1/videos/1/content", None)]


@pytest.mark.parametrize(
    ("does", "http", "reason"),
    [
        ({}, {"job": "data.id"}, "no number at 'data.id'"),
        ({}, {"poll": "/videos/x{job}"}, "the order is not there any more"),
        ({}, {"max_megabytes": 1, "download": "/videos/{job}"}, "is no MP4 video"),
        ({"size": (64, 96)}, {}, "--set video.height=96"),
        ({}, {"download": "", "video": "url"}, "no address of the video at 'url'"),
    ],
)
def test_answers_that_are_not_what_was_said_fail_with_the_reason(preset, jobs, tmp_path, does, http, reason):
    with video_server(Behaviour(**{**SMALL, **does})) as address:
        outcome = generate(jobs[:1], preset(address, **http), tmp_path / "out")
    assert outcome.failed[0].kind == "system"
    assert reason in outcome.failed[0].reason


def test_a_server_that_is_not_there_ends_the_run(preset, jobs, tmp_path, monkeypatch):
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        settings = preset(f"http://127.0.0.1:{taken.getsockname()[1]}", attempts=2)
        with pytest.raises(SystemUnusable, match="cannot be reached"):
            generate(jobs, settings, tmp_path / "out")
    monkeypatch.delenv("CLOUD")
    with pytest.raises(SystemUnusable, match=r"lacks \$CLOUD"):
        generate(jobs, settings, tmp_path / "out")


def test_a_timeline_reaches_the_server_as_lines(preset, jobs, tmp_path):
    job = replace(jobs[0], timeline="0-0.1s: walks; 0.1-0.3s: sits")
    server = Behaviour(**SMALL)
    with video_server(server) as address:
        assert generate([job], preset(address), tmp_path / "out").made
    lines = server.orders["1"].fields["prompt"].splitlines()
    assert [line.split("s: ")[0] for line in lines] == ["0-0.1", "0.1-0.3"]


@pytest.mark.parametrize(
    ("http", "reason"),
    [
        ({"base_url": "ftp://x"}, "must be an address"),
        ({"base_url": "http://me:pw@x"}, "an address alone"),
        ({"base_url": "http://x/?key=1"}, "an address alone"),
        ({"headers": {"X-Api-Key": "abc"}}, "holds a secret as it is"),
        ({"submit": {"body": {"deep": {"token": "abc"}}}}, "holds a secret as it is"),
        ({"submit": {"body": {"p": "{promt}"}}}, "Did you mean 'prompt'"),
        ({"poll": ""}, "http.poll is the path"),
        ({"video": "url"}, "give one of them"),
        ({"cost_cap": 5.0}, "needs http.price"),
    ],
)
def test_settings_that_cannot_work_are_refused(preset, http, reason):
    with pytest.raises(SettingsError, match=reason):
        preset("http://localhost", **http)
