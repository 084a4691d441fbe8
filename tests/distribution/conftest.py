"""Distributions built from copies of the tree, each once."""

from __future__ import annotations

import tarfile
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest
from source_tree import FOLDERS, LINKED, ROOT, build


@pytest.fixture(scope="session")
def copy_of_the_tree(tmp_path_factory):
    """Makes a copy of what a build reads, with the links or without them."""

    def make(*, links: bool) -> Path:
        folder = tmp_path_factory.mktemp("tree")
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            (folder / name).write_bytes((ROOT / name).read_bytes())
        for name in FOLDERS:
            copytree(ROOT / name, folder / name, symlinks=True, ignore=ignore_patterns("__pycache__"))
        for name in () if links else LINKED:
            (folder / "ipvg_eval" / name).unlink()
        return folder

    return make


@pytest.fixture(scope="session")
def wheel(copy_of_the_tree, tmp_path_factory):
    return build(copy_of_the_tree(links=True), "wheel", tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(copy_of_the_tree, tmp_path_factory):
    return build(copy_of_the_tree(links=True), "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="session")
def wheel_of_sdist(sdist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return build(tree, "wheel", tmp_path_factory.mktemp("wheel_of_sdist"))


@pytest.fixture(scope="session")
def wheel_without_links(copy_of_the_tree, tmp_path_factory):
    """What comes of an archive of the tree that dropped the links."""
    return build(copy_of_the_tree(links=False), "wheel", tmp_path_factory.mktemp("no_links"))
