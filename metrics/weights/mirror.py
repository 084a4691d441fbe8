"""Another place to take weights from: an address, or a folder of this machine."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from ipvg_eval.metrics.weight_file import WeightFile
from ipvg_eval.metrics.weights import folders, install, transfer
from ipvg_eval.metrics.weights.errors import PullFailed
from ipvg_eval.metrics.weights.hashes import sha256_of
from ipvg_eval.metrics.weights.progress import Progress


class Mirror:
    """A copy of a weights folder.

    Args:
        base: http or https address, file:// address, or path of a folder.

    Raises:
        PullFailed: the folder does not exist.
    """

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._url = base.rstrip("/") if parts.scheme in {"http", "https"} else None
        if self._url is None:
            self._folder = Path(url2pathname(parts.path) if parts.scheme == "file" else base).expanduser()
            if not self._folder.is_dir():
                raise PullFailed(f"the mirror {base} is not a folder", hint="Give an address or a folder.")

    def fetch(self, name: str, target: Path, sha256: str | None, staging: Path, progress: Progress) -> None:
        """Bring `BASE/name`, verified, to a path. Raises as `install.download` does."""
        if self._url is not None:
            install.download(f"{self._url}/{quote(name)}", target, sha256, staging, progress)
        else:
            install.copy_file(self._folder / name, target, sha256, staging, progress)

    def fetch_folder(self, weight: WeightFile, target: Path, staging: Path, progress: Progress) -> None:
        """Bring a model folder. Raises as `ipvg_eval.metrics.weights.install.fill_folder` does."""
        name = weight.file_name
        sums = self._sums(name)
        own = staging / name
        install.fill_folder(
            target, sums, own, lambda file, at: self.fetch(f"{name}/{file}", at, sums[file], own, progress)
        )

    def _sums(self, name: str) -> dict[str, str]:
        listing = f"{name}/{folders.SUMS}"
        try:
            if self._url is not None:
                return folders.parse_sums(transfer.read_text(f"{self._url}/{quote(listing)}"))
            folder = self._folder / name
            if not (folder / folders.SUMS).is_file():
                return {file: sha256_of(folder / file) for file in folders.model_files(folder)}
            return folders.parse_sums((folder / folders.SUMS).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise PullFailed(
                f"the mirror's {listing} cannot be used: {error}",
                hint=f"A mirror lists a model folder in {folders.SUMS}, as `sha256sum *` prints.",
            ) from error
