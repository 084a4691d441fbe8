"""A small study on real clips, and a real server for it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest
import uvicorn

from ipvg_eval.leaderboard.study import (
    Created,
    StudyPicture,
    StudySample,
    StudyTeam,
    create_study,
    new_annotators,
    open_study,
    read_study_config,
)
from ipvg_eval.leaderboard.study.serve import server_settings
from ipvg_eval.leaderboard.study.server import application
from ipvg_eval.leaderboard.study.store import Study

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
TEAMS = ("QuokkaVision", "PangolinLab", "AxolotlWorks")

WriteClip = Callable[..., Path]


@pytest.fixture(scope="session")
def write_clip() -> WriteClip:
    return _write_clip


def _write_clip(
    path: Path, *, frames: int = 5, fps: int = 16, shade: int = 0, team: str = "", **more: Any
) -> Path:
    """A short real H.264 clip of the fixtures' frames; its metadata and user data name the team.

    With `tone`, in Hz, it has sound as AAC.
    """
    codec, pix_fmt = more.get("codec", "libx264"), more.get("pix_fmt", "yuv420p")
    path.parent.mkdir(parents=True, exist_ok=True)
    source = FIXTURES / "submissions" / "careful" / "id001" / "prompt1.mp4"
    with av.open(str(source)) as given, av.open(str(path), "w") as made:
        made.metadata.update({"title": f"made by {team}", "comment": str(path), "artist": team})
        stream = made.add_stream(codec, rate=fps)
        stream.metadata["handler_name"] = f"{team} handler"
        stream.width, stream.height, stream.pix_fmt = 320, 240, pix_fmt
        if "rotation" in more:
            stream.set_display_rotation(more["rotation"])
        voice = made.add_stream("aac", rate=44_100, layout="mono") if "tone" in more else None
        for count, frame in enumerate(given.decode(video=0)):
            if count == frames:
                break
            pixels = np.clip(frame.to_ndarray(format="rgb24").astype(int) + shade, 0, 255).astype(np.uint8)
            made.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        made.mux(stream.encode())
        if voice is not None:
            times = np.arange(44_100 * frames // fps) / 44_100
            wave = (8000 * np.sin(2 * np.pi * more["tone"] * times)).astype(np.int16)
            sound = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
            sound.sample_rate = 44_100
            made.mux(voice.encode(sound))
            made.mux(voice.encode())
    return path


def _as_team(name: str, folder: Path, samples: list[str]) -> StudyTeam:
    paths = {sample: folder / f"{sample.replace('/', '_')}_{name}.mp4" for sample in samples}
    return StudyTeam(
        name=name,
        videos={s: (lambda p=p: contextlib.nullcontext(p)) for s, p in paths.items() if p.exists()},
        absent={},
    )


def _study_samples(count: int = 4) -> list[StudySample]:
    """`count` samples of two identities with the fixtures' pictures."""
    pictures = {"id001": "image.png", "id002": "image.webp"}
    return [
        StudySample(
            id=f"{identity}/prompt{n // 2 + 1}",
            identity=identity,
            prompt=f"Somebody smiles, number {n}.",
            references=(
                StudyPicture(path=FIXTURES / "testset" / identity / pictures[identity], label="person"),
            ),
        )
        for n, identity in ((n, ("id001", "id002")[n % 2]) for n in range(count))
    ]


@pytest.fixture(scope="session")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three teams' clips of a third of a second, all different."""
    folder = tmp_path_factory.mktemp("submissions")
    shade = 0
    for team in TEAMS:
        for sample in _study_samples():
            shade += 3
            _write_clip(folder / f"{sample.id.replace('/', '_')}_{team}.mp4", shade=shade, team=team)
    return folder


@pytest.fixture
def samples() -> list[StudySample]:
    return _study_samples()


@pytest.fixture
def teams(submissions: Path, samples: list[StudySample]) -> list[StudyTeam]:
    return [_as_team(team, submissions, [sample.id for sample in samples]) for team in TEAMS]


MakeStudy = Callable[..., Created]


@pytest.fixture
def make_study(teams: list[StudyTeam], samples: list[StudySample], tmp_path: Path) -> MakeStudy:
    """Make a study of the three teams; settings by keyword."""

    def make(**settings: Any) -> Created:
        return create_study(teams, samples, read_study_config(None, **settings), tmp_path / "study")

    return make


@pytest.fixture
def many_samples(samples: list[StudySample]) -> list[StudySample]:
    """24 samples of twelve people, on the clips of four."""
    return [
        StudySample(
            id=f"face{face}/{take}", identity=f"face{face}", prompt="One smiles.", references=given.references
        )
        for face in range(12)
        for take, given in enumerate(samples[:2])
    ]


@pytest.fixture
def make_adaptive(
    teams: list[StudyTeam], samples: list[StudySample], many_samples: list[StudySample], tmp_path: Path
) -> MakeStudy:
    """A study whose server chooses the next pair, of the first `count` teams."""

    def make(count: int = 2, **settings: Any) -> Created:
        given = [
            type(team)(
                name=team.name,
                videos={
                    sample.id: team.videos[samples[number % len(samples)].id]
                    for number, sample in enumerate(many_samples)
                },
                absent={},
            )
            for team in teams[:count]
        ]
        config = read_study_config(None, **{"adaptive": True, "overlap": {"share": 0}, **settings})
        return create_study(given, many_samples, config, tmp_path / "adaptive")

    return make


@dataclass
class Server:
    """A study's server in its own process."""

    path: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.path.with_name("server.log")

    def start(self) -> None:
        if not self.port:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        program = (
            "import sys\nfrom ipvg_eval.leaderboard.study import open_study\n"
            "from ipvg_eval.leaderboard.study.serve import serve\n"
            "serve(open_study(sys.argv[1]), port=int(sys.argv[2]))"
        )
        command = [sys.executable, "-c", program, str(self.path), str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stderr=log)
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server ended"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, **headers: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers={"x-study": "1", **headers}, timeout=30)
        self.clients.append(client)
        return client

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class ThreadServer:
    """The same server in a thread: quicker to start, for tests that do not kill it."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        settings = uvicorn.Config(application(open_study(path)), **server_settings())
        self.server = uvicorn.Server(settings)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self.socket]})
        self.clients: list[httpx.Client] = []

    def start(self) -> None:
        self.thread.start()

    def client(self, **headers: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, headers={"x-study": "1", **headers}, timeout=30)
        self.clients.append(client)
        return client

    def stop(self) -> None:
        for client in self.clients:
            client.close()
        self.server.should_exit = True
        self.thread.join()
        self.socket.close()


@pytest.fixture
def serve_study() -> Iterator[Callable[..., Any]]:
    """Start servers, in a process of their own if asked; they are stopped when the test ends."""
    servers: list[Server | ThreadServer] = []

    def start(path: Path, *, process: bool = False) -> Server | ThreadServer:
        server = Server(path=path) if process else ThreadServer(path)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def walker() -> type[Walker]:
    return Walker


class Walker:
    """An annotator without a browser."""

    def __init__(self, client: httpx.Client, token: str, rng: random.Random | None = None) -> None:
        self.client, self.base = client, f"/a/{token}"
        self.rng = rng or random.Random(0)
        self.answers, self.sides = ["left", "right", "draw"], ["left", "right"]
        self.acknowledged: list[tuple[int, str, str]] = []

    def state(self) -> dict[str, Any]:
        return self.client.get(f"{self.base}/state").raise_for_status().json()

    def watch(self, item: int) -> None:
        for side in self.sides:
            self.post("watched", item=item, side=side).raise_for_status()

    def post(self, what: str, **body: Any) -> httpx.Response:
        return self.client.post(f"{self.base}/{what}", json=body)

    def step(self, state: dict[str, Any], answer: str | None = None) -> dict[str, Any]:
        """Watch if needed, vote, and note the vote once the server has confirmed it."""
        if state["watched"] != self.sides:
            self.watch(state["item"])
        answer = answer or self.rng.choice(self.answers)
        response = self.post("vote", item=state["item"], question=state["question"]["name"], answer=answer)
        next_state = response.raise_for_status().json()
        self.acknowledged.append((state["item"], state["question"]["name"], answer))
        return next_state

    def walk(self, answer: Callable[[dict[str, Any]], str] | None = None) -> dict[str, Any]:
        """Answer everything, at random or by a function of the state."""
        state = self.state()
        while not state["done"]:
            state = self.step(state, answer(state) if answer else None)
        return state


@pytest.fixture
def real_side() -> Callable[[Study], dict[int, str]]:
    """For every check with a corrupted copy: the side of the real video. Annotators cannot know this."""

    def of(study: Study) -> dict[int, str]:
        with study.reading() as reader:
            rows = reader.execute(
                "SELECT i.id, l.corrupted FROM item i JOIN clip l ON l.id = i.left_clip "
                "WHERE kind = 'corrupted'"
            )
            return {row["id"]: "right" if row["corrupted"] else "left" for row in rows}

    return of


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, submissions: Path
) -> Iterator[tuple[Walker, Study, ThreadServer, Created]]:
    """One study, its server and an annotator, for tests that change nothing."""
    samples = _study_samples()
    teams = [_as_team(team, submissions, [sample.id for sample in samples]) for team in TEAMS]
    path = tmp_path_factory.mktemp("served") / "study"
    created = create_study(teams, samples, read_study_config(None, annotators=2), path)
    study = open_study(path)
    server = ThreadServer(path)
    server.start()
    yield Walker(server.client(), new_annotators(study, 1)[0].token), study, server, created
    server.stop()
