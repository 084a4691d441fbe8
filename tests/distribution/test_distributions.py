"""What is built holds one import root with every module and every data file, however it is built."""

from __future__ import annotations

import tarfile
import zipfile
from fnmatch import fnmatchcase

import pytest
from source_tree import LINKED, configuration, source_files


def test_the_list_of_packages_is_the_tree():
    """A new folder must be added to `packages` in pyproject.toml, or the wheel lacks it."""
    listed = configuration()["setuptools"]["packages"]
    folders = {name.rpartition("/")[0].replace("/", ".") for name in source_files(python=True)}
    assert sorted(listed) == sorted(folders)


def test_every_package_folder_says_that_it_is_one():
    files = source_files(python=True)
    assert {f"{name.rpartition('/')[0]}/__init__.py" for name in files} <= files.keys()


def test_the_patterns_of_data_files_cover_them_all_and_nothing_else():
    patterns = [
        f"{package.replace('.', '/')}/{pattern}"
        for package, patterns in configuration()["setuptools"]["package-data"].items()
        for pattern in patterns
    ]
    data = source_files(python=False)
    assert not [name for name in data if not any(fnmatchcase(name, pattern) for pattern in patterns)]
    assert not [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in data)]


@pytest.mark.parametrize("built", ["wheel", "wheel_of_sdist", "wheel_without_links"])
def test_a_wheel_holds_the_tree_and_nothing_else(built, request):
    with zipfile.ZipFile(request.getfixturevalue(built)) as archive:
        names = archive.namelist()
        expected = source_files(python=True) | source_files(python=False)
        inside = {name for name in names if ".dist-info/" not in name}
        assert inside == expected.keys()
        assert "ipvg_eval/py.typed" in inside
        assert all(archive.read(name) == path.read_bytes() for name, path in expected.items())
    assert len(names) == len(set(names))
    assert {name.partition("/")[0] for name in set(names) - inside} == {"ipvg_eval-0.1.0.dist-info"}


def test_an_sdist_holds_every_file_once(sdist):
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = [member.name.partition("/")[2] for member in members if member.isfile()]
    assert not [member.name for member in members if member.issym() or member.islnk()]
    assert not [name for name in names if name.startswith(tuple(f"ipvg_eval/{name}/" for name in LINKED))]
    owed = source_files(python=True) | source_files(python=False)
    ours = {name.removeprefix("ipvg_eval/") if name.split("/")[1] in LINKED else name for name in owed}
    assert ours <= set(names)
    assert len(names) == len(set(names))
