"""What the server answers, to whom, and what it never gives."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ipvg_eval.viewer import gather
from ipvg_eval.viewer.site import Site

from .conftest import Scene

VIDEO = "videos/0/0.mp4"


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as client:
        yield client


def measured(scene: Scene) -> bytes:
    return (scene.root / "submissions" / "north" / "id001" / "prompt1.mp4").read_bytes()


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-", 0, None), ("bytes=10-19", 10, 20), ("bytes=-7", -7, None), ("bytes=5-99999999", 5, None)],
)
def test_ranges_are_those_of_the_file(
    client: httpx.Client, scene: Scene, asked: str, start: int, end: int | None
) -> None:
    answer = client.get(VIDEO, headers={"range": asked})
    content = measured(scene)
    assert answer.status_code == 206
    assert answer.content == content[start:end]
    first = start % len(content)
    assert (
        answer.headers["content-range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(content)}"
    )


@pytest.mark.parametrize(
    "asked", ["bytes=99999999-", "bytes=9-3", "bytes=-0", "bytes=x", "lines=0-1", "bytes=0-1,3-4"]
)
def test_ranges_that_are_none_are_refused(client: httpx.Client, asked: str) -> None:
    assert client.get(VIDEO, headers={"range": asked}).status_code == 416


def test_a_video_is_never_a_page(client: httpx.Client) -> None:
    headers = client.get(VIDEO).headers
    assert headers["content-type"] == "video/mp4"
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"},
        {"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
    ],
)
def test_other_sites_and_other_names_are_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    assert client.get("data/index.js", headers=headers).status_code == 403


def test_a_link_from_elsewhere_is_followed(client: httpx.Client) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert client.get("", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_changed(client: httpx.Client, method: str) -> None:
    assert client.request(method, "data/index.js").status_code == 405


def test_without_the_token_there_is_nothing(address: str) -> None:
    root = address.removesuffix("token/")
    for path in ("", "index.html", "data/index.js", "tokem/data/index.js", "token"):
        assert httpx.get(root + path).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "../runs/north/run.json",
        "%2e%2e/%2e%2e/etc/passwd",
        "videos/0/../../../testset/id001/prompt1.txt",
        "videos/0/0.mp4/",
        "videos/00/0.mp4",
        "videos/0/99.mp4",
        "videos/9/0.mp4",
        "videos/-1/0.mp4",
        "videos/٣/0.mp4",
        "videos/0/6.mp4",
        "strips/0/5.webp",
        "strips/0/%2e%2e/0/0.webp",
        "references/../../runs/north/run.json",
        "references//etc/passwd",
        "data/samples/%2e%2e/index.js",
        "data/samples/99.js",
        "static/viewer.js",
        "site.py",
    ],
)
def test_no_other_file_is_served(scene: Scene, client: httpx.Client, path: str) -> None:
    assert Site(scene.material()).content(path) is None
    assert client.get(path).status_code == 404


def test_links_that_lead_out_of_run_and_submission_are_not_followed(scene: Scene, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"RIFF\x0c\0\0\0WEBPVP8 secret")
    videos = Path(shutil.copytree(scene.root / "submissions" / "north", tmp_path / "north"))
    (videos / "id001" / "prompt1.mp4").unlink()
    (videos / "id001" / "prompt1.mp4").symlink_to(secret)
    run = Path(shutil.copytree(scene.root / "runs" / "north", tmp_path / "run"))
    strip = next((run / "thumbnails").glob("*.webp"))
    strip.unlink()
    strip.symlink_to(secret)
    site = Site(gather([run], [f"north={videos}"], scene.root / "testset"))
    for address in site.addresses():
        if (content := site.content(address)) is not None:
            with content.open() as stream:
                assert b"secret" not in stream.read(), address


def test_videos_come_out_of_a_zip(scene: Scene, tmp_path: Path) -> None:
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        folder = tmp_path / str(packing)
        folder.mkdir()
        with zipfile.ZipFile(folder / "north.zip", "w", packing) as file:
            file.writestr("id001/prompt1.mp4", measured(scene))
        site = Site(gather(scene.runs("north"), [f"north={folder / 'north.zip'}"], scene.root / "testset"))
        content = site.content(VIDEO)
        assert content is not None
        with content.open() as stream:
            stream.seek(100)
            assert stream.read(50) == measured(scene)[100:150]
        assert site.content("videos/0/1.mp4") is None


def state_of(site: Site, number: int) -> tuple[str, str]:
    content = site.content(f"data/samples/{number}.js")
    assert content is not None
    with content.open() as stream:
        text = stream.read().decode()
    run = json.loads(text.partition(",")[2].rstrip(");\n"))["runs"][0]
    return run["state"], run["words"]


def test_another_file_than_the_scored_one_is_marked(scene: Scene, tmp_path: Path) -> None:
    videos = Path(shutil.copytree(scene.root / "submissions" / "north", tmp_path / "north"))
    shutil.copy(
        scene.root / "submissions" / "süd 南" / "id001" / "prompt2.mp4", videos / "id001" / "prompt2.mp4"
    )
    shutil.copy(videos / "id001" / "prompt1.mp4", videos / "id003" / "prompt2.mp4")
    site = Site(gather(scene.runs("north"), [str(videos)], scene.root / "testset"))
    assert state_of(site, 0) == ("scored", "")
    assert state_of(site, 1)[0] == "changed"
    assert state_of(site, 5)[0] == "unscored"


def test_a_submission_that_has_moved_is_looked_for_and_stills_are_shown(scene: Scene, tmp_path: Path) -> None:
    material = gather(scene.runs("north"), [str(tmp_path)], scene.root / "testset")
    (side,) = material.sides
    assert side.videos == f"not found in {tmp_path / 'north'}, {tmp_path / 'north' / 'north'}"
    site = Site(material)
    assert site.content(VIDEO) is None
    assert site.content("strips/0/0.webp") is not None
    assert state_of(site, 0) == ("none", side.videos)
