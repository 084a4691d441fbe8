"""What the project knows of a weight file before it has seen one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_COMMIT = re.compile(r"/[0-9a-f]{40}/")

FOLDER_SUFFIXES = (".json", ".safetensors", ".txt")
"""What is taken from a model folder of a hub: weights, configuration, tokenizer; no code."""


@dataclass(frozen=True, kw_only=True)
class HubFile:
    """One file of a Hugging Face repository.

    Attributes:
        repository: "owner/name".
        path: the file inside it.
        revision: commit or branch; a branch is enough where the file's full sha256 is declared.
    """

    repository: str
    path: str
    revision: str = "main"

    def __str__(self) -> str:
        return f"Hugging Face {self.repository}@{self.revision[:8]}, {self.path}"


@dataclass(frozen=True, kw_only=True)
class HubFolder:
    """A whole model of a Hugging Face repository: its top-level files with `FOLDER_SUFFIXES`.

    Attributes:
        repository: "owner/name".
        revision: commit; it pins the files, whose hashes are recorded when they are first pulled.
    """

    repository: str
    revision: str

    def __str__(self) -> str:
        return f"Hugging Face {self.repository}@{self.revision[:8]} (folder)"


@dataclass(frozen=True, kw_only=True)
class ReleaseAsset:
    """A file behind a plain address."""

    url: str

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, kw_only=True)
class ArchiveMember:
    """A file inside a zip archive behind a plain address.

    Attributes:
        url: address of the archive.
        member: name of the file in the archive.
        archive_sha256: sha256 of the whole archive.
        archive_size: its size in bytes, None if unknown.
    """

    url: str
    member: str
    archive_sha256: str
    archive_size: int | None = None

    @property
    def archive_name(self) -> str:
        """File name of the archive."""
        return self.url.rsplit("/", 1)[-1]

    def __str__(self) -> str:
        return f"{self.member} in {self.url}"


@dataclass(frozen=True, kw_only=True)
class Bundled:
    """Files that an installed package carries; there is nothing to pull.

    Attributes:
        package: import name.
        distribution: name to install.
        folder: folder inside the package.
        files: the files in it.
    """

    package: str
    distribution: str
    folder: str
    files: tuple[str, ...]

    def __str__(self) -> str:
        return f"inside the package {self.distribution}"


Source = HubFile | HubFolder | ReleaseAsset | ArchiveMember | Bundled


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """One row of the weight table.

    Attributes:
        name: how everything else calls it.
        used_by: names of the metrics that need it; the only statement of it, see `table.weights_of`.
        alternative: whether an option must ask for it, in place of another.
        source: where it is published.
        file_name: its name in a weights folder; a folder's name for `HubFolder` and `Bundled`.
        licence: terms of use, as the publisher states them.
        non_commercial: whether these terms exclude commercial use.
        size: bytes, rounded for a folder; None if unknown. Used to estimate and to search: the hash decides.
        sha256: full, or the prefix that is published; for a folder that of its list of hashes
            (`ipvg_eval.metrics.weights.folders.digest`); None where only the revision, or a commit in the
            address, pins it.
        mirrors: other places that are said to hold the same bytes, tried in order after the source; only for
            a file with its full sha256, which makes any host safe.
        file_hashes: for a folder, what is known of single files of it, sha256 by name.
        note: anything else a reader should know.
    """

    name: str
    used_by: tuple[str, ...]
    source: Source
    file_name: str
    licence: str
    non_commercial: bool = False
    size: int | None = None
    sha256: str | None = None
    mirrors: tuple[HubFile | ReleaseAsset, ...] = ()
    file_hashes: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    alternative: bool = False

    def __post_init__(self) -> None:
        if self.mirrors and (self.sha256 is None or len(self.sha256) != 64):
            raise ValueError(f"{self.name}: only a full sha256 makes a mirror safe")
        pinned = isinstance(self.source, HubFile) and self.source.revision not in {None, "main"}
        if isinstance(self.source, ReleaseAsset):
            pinned = _COMMIT.search(self.source.url) is not None
        if self.sha256 is None and not (pinned or isinstance(self.source, HubFolder)):
            raise ValueError(
                f"{self.name}: a single file needs its sha256, a prefix of it, or a pinned revision"
            )
        if self.sha256 is not None and not 8 <= len(self.sha256) <= 64:
            raise ValueError(f"{self.name}: {self.sha256!r} is neither a sha256 nor a prefix of one")

    @property
    def is_folder(self) -> bool:
        """Whether it is several files."""
        return isinstance(self.source, HubFolder | Bundled)

    def matches(self, sha256: str) -> bool:
        """Whether a file with this sha256 is the declared one."""
        return self.sha256 is None or sha256.startswith(self.sha256)
