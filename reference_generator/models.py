"""Which models a system needs, where they lie on this machine, and what is missing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from ipvg_eval.reference_generator.architectures import architecture
from ipvg_eval.reference_generator.errors import ModelsMissing
from ipvg_eval.reference_generator.settings import Settings
from ipvg_eval.reference_generator.systems.registry import kind_of

_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, kw_only=True)
class Need:
    """A model that a run reads.

    Attributes:
        use: what for.
        repo: Hugging Face repository, None for a path on this machine.
        revision: branch, tag or commit.
        path: folder or file on this machine, or the file inside the repository.
        size_gb: about how much there is to fetch, None if unknown.
        without: parts whose weights are not needed, because others replace them.
    """

    use: str
    repo: str | None
    revision: str = "main"
    path: str | None = None
    size_gb: float | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """Where a model lies.

    Attributes:
        path: folder or file.
        revision: its commit in the hub's cache, else "local".
    """

    path: Path
    revision: str


def needs(settings: Settings) -> dict[str, Need]:
    """What a system reads, by the name under which the loaders ask for it."""
    if settings.tiny:
        return {}
    picture, prompt = settings.picture, settings.prompt
    wanted = {}
    if kind_of(settings.system).has_models:
        wanted = _video_needs(settings)
    if picture.use != "none":
        wanted["picture"] = _repository(
            "picture model", picture.repo, picture.revision, picture.path, picture.stored_gb
        )
    cut = settings.references
    if cut.segment:
        wanted["segmenter"] = _repository("segmentation model", cut.repo, cut.revision, cut.path)
    if prompt.rewriter == "local":
        local = Path(prompt.model).is_dir()
        wanted["rewriter"] = _repository(
            "language model", prompt.model, "main", prompt.model if local else None
        )
    for number, lora in enumerate(settings.runtime.lora):
        on_disk = Path(lora.path).exists()
        wanted[f"lora{number}"] = Need(
            use="LoRA",
            repo=None if on_disk else lora.path,
            path=lora.path if on_disk else lora.weight_name,
        )
    return wanted


def _video_needs(settings: Settings) -> dict[str, Need]:
    model = settings.model
    if model.architecture is None:
        return {"video": _repository("video model", model.repo, model.revision, model.path, model.stored_gb)}
    facts = architecture(model.architecture)
    replaced = model.weights is not None and model.path is None
    size = None if model.stored_gb is None else facts.text_gb + facts.vae_gb
    if size is not None and not replaced:
        size += model.stored_gb or 0.0
    video = _repository("video model", model.repo, model.revision, model.path, size)
    parts = ("transformer", "transformer_2")[: facts.experts]
    wanted = {"video": replace(video, without=parts) if replaced else video}
    if replaced:
        for name, file in (("weights", model.weights), ("weights_2", model.weights_2)):
            if file is not None:
                wanted[name] = Need(
                    use="transformer weights",
                    repo=None if Path(file).expanduser().is_file() else model.weights_repo,
                    revision=model.weights_revision,
                    path=file,
                    size_gb=model.stored_gb and model.stored_gb / facts.experts,
                )
    return wanted


def _repository(use: str, repo: str, revision: str, path: str | None, size_gb: float | None = None) -> Need:
    return Need(use=use, repo=None if path else repo, revision=revision, path=path, size_gb=size_gb)


def find_models(settings: Settings) -> dict[str, Found]:
    """Where every model lies. Nothing is fetched.

    The hub's cache is searched under HF_HUB_CACHE, else under HF_HOME.

    Raises:
        ModelsMissing: some are not on this machine; the message lists all of them with their sizes.
    """
    found, missing = {}, []
    for name, need in needs(settings).items():
        place = _find(need)
        if place is None:
            missing.append(need)
        else:
            found[name] = place
    if missing:
        raise _missing(missing)
    return found


def _find(need: Need) -> Found | None:
    if need.repo is None:
        path = Path(need.path or "").expanduser()
        return Found(path=path, revision="local") if _complete(path, need.without) else None
    snapshot = _snapshot(need)
    if snapshot is None:
        return None
    path = snapshot / need.path if need.path is not None else snapshot
    return Found(path=path, revision=snapshot.name) if _complete(path, need.without) else None


def _hub_cache() -> Path:
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "huggingface"
    home = Path(os.environ.get("HF_HOME") or home)
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()


def _snapshot(need: Need) -> Path | None:
    """The snapshot folder of a repository, read from the cache's own layout."""
    assert need.repo is not None
    folder = _hub_cache() / ("models--" + need.repo.replace("/", "--"))
    commit = need.revision
    if not _COMMIT.fullmatch(commit):
        try:
            commit = (folder / "refs" / commit).read_text(encoding="utf-8").strip()
        except OSError:
            return None
    snapshot = folder / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def shards_of(index: Path) -> list[Path]:
    """The files that a checkpoint's `.index.json` names, which lie beside it."""
    names = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
    return [index.with_name(name) for name in sorted(set(names))]


def _complete(path: Path, without: tuple[str, ...] = ()) -> bool:
    """Whether a file with its shards, or a model folder with every file that its lists name, is there."""
    if path.is_file():
        return not path.name.endswith(".index.json") or all(shard.is_file() for shard in shards_of(path))
    if not path.is_dir():
        return False
    index = path / "model_index.json"
    folders = [path]
    if index.is_file():
        parts = json.loads(index.read_text(encoding="utf-8"))
        named = [key for key, value in parts.items() if isinstance(value, list) and value[0] is not None]
        folders = [path / name for name in named]
    return all(
        folder.is_dir() and (folder.name in without or _weights_complete(folder)) for folder in folders
    )


def _weights_complete(folder: Path) -> bool:
    for index in folder.glob("*.index.json"):
        return _complete(index)
    is_model = (folder / "config.json").is_file()
    return not is_model or any(any(folder.glob(f"*.{kind}")) for kind in ("safetensors", "bin", "pt", "pth"))


def _wanted_files(need: Need) -> list[str]:
    if need.path is None:
        return []
    stem, sharded, _ = need.path.partition(".safetensors.index.json")
    return ["--include", f"'{stem}*.safetensors*'"] if sharded else [need.path]


def _missing(wanted: Iterable[Need]) -> ModelsMissing:
    lines, commands = [], []
    for need in wanted:
        size = f"about {need.size_gb:.1f} GB" if need.size_gb else "size unknown"
        where = f"{need.repo} ({need.path})" if need.repo and need.path else need.repo or need.path
        lines.append(f"  {need.use}: {where}, {size}")
        if need.repo:
            words = ["hf download", need.repo, *_wanted_files(need)]
            words += ["--revision", need.revision] if need.revision != "main" else []
            words += [word for part in need.without for word in ("--exclude", f"'{part}/*.safetensors'")]
            commands.append(" ".join(words))
    hint = (
        "Fetch them with: " + "; ".join(commands) + f". They go to {_hub_cache()}; set HF_HOME to keep them "
        "elsewhere. Or name a folder with --set model.path=FOLDER."
        if commands
        else "Check the paths."
    )
    return ModelsMissing("these models are not complete on this machine:\n" + "\n".join(lines), hint=hint)
