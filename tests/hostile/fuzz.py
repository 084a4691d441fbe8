"""Read thousands of mutated clips, zips, pictures, votes, protocols and runs, and count how that ends.

    python tests/hostile/fuzz.py --variants 4000 --seed 0

Every variant is read by the public functions in a worker process. It must end in frames, in findings or in
one of the project's own errors: a worker that dies, hangs or raises anything else is a failure, and so is a
file that is left in the working folder or the one for temporary files. Failing variants are kept.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"
RUN = ROOT / "tests" / "golden" / "runs" / "careful"
IN_A_RUN = ("run.json", "summary.json", "journal.jsonl", "samples.parquet", "frames.parquet", "SHA256SUMS")
INTERESTING = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
BOXES = (b"moov", b"trak", b"mdhd", b"mvhd", b"tkhd", b"stsd", b"avcC", b"stts", b"stsz", b"stsc", b"stco")
BOXES += (b"elst", b"ctts", b"stss", b"mdat", b"dref")
_MEMORY = 8 << 30
_KINDS = ("frames", "findings", "refused")


def mutate(data: bytes, rng: np.random.Generator, *, marks: tuple[bytes, ...] = BOXES) -> bytes:
    """One to six changes, half of them near a mark (a box of an MP4 file, a header of a zip)."""
    raw = bytearray(data)
    places = [at for mark in marks if (at := data.find(mark)) >= 0]
    for _ in range(int(rng.integers(1, 7))):
        if len(raw) <= 16:
            break
        at = int(rng.integers(len(raw) - 8))
        if places and rng.random() < 0.5:
            at = min(len(raw) - 8, max(0, int(rng.choice(places)) + int(rng.integers(-4, 64))))
        match int(rng.integers(7)):
            case 0:
                raw[at] ^= 1 << int(rng.integers(8))
            case 1:
                raw[at : at + 4] = int(rng.choice(INTERESTING)).to_bytes(4, "big")
            case 2:
                raw[at : at + 4] = int(rng.choice(INTERESTING)).to_bytes(4, "little")
            case 3:
                length = int(rng.integers(1, 2000))
                raw[at : at + length] = rng.bytes(min(length, len(raw) - at))
            case 4:
                del raw[at : at + int(rng.integers(1, 500))]
            case 5:
                raw[at:at] = raw[at : at + int(rng.integers(1, 500))]
            case _:
                end = int(rng.integers(16, len(raw)))
                del raw[end : len(raw) if rng.random() < 0.3 else end + 1]
    return bytes(raw)


Source = tuple[str, bytes, tuple[bytes, ...]]
"""How a variant's name ends, its content before it is changed, and what is worth changing."""


def sources() -> list[list[Source]]:
    """Real files of every kind that strangers hand in, by kind."""
    return [_clips_and_zips(), _pictures(), _texts(), _files_of_a_run()]


def _pictures() -> list[Source]:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (40, 30, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112], exif[0x011A], exif[0x010E] = 6, 72.0, "a picture"
    found = []
    for name, settings in (("png", {}), ("jpeg", {"quality": 90}), ("webp", {"lossless": True})):
        with tempfile.TemporaryFile() as file:
            Image.fromarray(pixels).save(file, name, exif=exif, **settings)
            file.seek(0)
            found.append((f".{name}", file.read(), (b"Exif", b"eXIf", b"EXIF", b"IHDR", b"VP8", b"\xff\xda")))
    return found


def _texts() -> list[Source]:
    lite = (ROOT / "metrics" / "protocols" / "lite.yaml").read_bytes()
    challenge = (FIXTURES / "challenge.yaml").read_bytes()
    votes = (FIXTURES / "votes.csv").read_bytes()
    return [
        (".yaml", lite, (b"evaluators", b"kind", b"version")),
        ("-challenge.yaml", challenge, (b"metrics", b"final", b"weight")),
        (".csv", votes, (b"sample", b"winner", b",a", b"\n")),
    ]


def _files_of_a_run() -> list[Source]:
    marks = (b"PAR1", b"null", b":", b"[", b"value", b"counts", b"specs")
    return [(f"-{name}", (RUN / name).read_bytes(), marks) for name in IN_A_RUN]


def _clips_and_zips() -> list[Source]:
    clips = sorted((FIXTURES / "submissions").rglob("*.mp4"))[::3]
    found = [(".mp4", clip.read_bytes(), BOXES) for clip in clips]
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with tempfile.TemporaryFile() as file:
            with zipfile.ZipFile(file, "w", method) as archive:
                for k, clip in enumerate(clips[:2], start=1):
                    archive.writestr(f"id001/prompt{k}.mp4", clip.read_bytes())
            file.seek(0)
            found.append((".zip", file.read(), (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"id001")))
    return found


def _kind(path: Path) -> str:
    name = path.name.partition("-")[2]
    return "run" if name in IN_A_RUN else name or path.suffix


def _read_picture(path: Path) -> str:
    from ipvg_eval.core.page import Album
    from ipvg_eval.core.pictures import read_rgb

    Album(limit=10**9).picture(path)
    read_rgb(path)
    return "frames"


def _read_votes(path: Path) -> str:
    from ipvg_eval.leaderboard import read_votes

    read_votes(path)
    return "findings"


def _read_protocol(path: Path) -> str:
    from ipvg_eval.metrics.protocols.loading import load_protocol

    load_protocol(str(path))
    return "findings"


def _read_challenge(path: Path) -> str:
    from ipvg_eval.leaderboard import read_challenge

    read_challenge(path)
    return "findings"


def _read_run(path: Path) -> str:
    """The run with this one file in place of its own, as a leaderboard looks at it."""
    from ipvg_eval.results.screening import screen

    with tempfile.TemporaryDirectory() as folder:
        run = Path(shutil.copytree(RUN, Path(folder) / "run"))
        shutil.copy(path, run / path.name.partition("-")[2])
        fit, refused = screen([run], strict=path.name.endswith("SHA256SUMS"))
        assert len(fit) + len(refused) == 1
    return "findings" if fit else "refused"


_READERS: dict[str, Callable[[Path], str]] = {
    ".png": _read_picture,
    ".jpeg": _read_picture,
    ".webp": _read_picture,
    ".csv": _read_votes,
    ".yaml": _read_protocol,
    "challenge.yaml": _read_challenge,
    "run": _read_run,
}


def read(path: Path) -> str:
    """What the public functions make of one file: "frames", "findings", "refused", or what went wrong."""
    from ipvg_eval.core.errors import IpvgError
    from ipvg_eval.validation import validate
    from ipvg_eval.video import check_all_frames, decode, first_frame, index_frames, probe

    try:
        if path.suffix == ".zip":
            validate(path, FIXTURES / "testset")
            return "findings"
        if (other := _READERS.get(_kind(path))) is not None:
            return other(path)
        probe(path)
        first_frame(path)
        index = index_frames(path)
        count = index.clip.frame_count
        with decode(path, sorted({0, count // 2, count - 1}), index=index) as decoding:
            for _ in decoding:
                pass
        check_all_frames(path)
        return "frames"
    except IpvgError:
        return "refused"
    except Exception:
        return traceback.format_exc()


def _serve(connection: Connection, folder: str) -> None:
    os.chdir(folder)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while (path := connection.recv()) is not None:
        connection.send(read(Path(path)))


class Worker:
    """A process that reads one file after another, and is replaced when it dies or hangs."""

    def __init__(self, folder: Path, serve: Callable[[Connection, str], None] = _serve) -> None:
        self._folder = folder
        self._serve = serve
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None

    def ask(self, path: Path, limit: float) -> str:
        if self._process is None:
            self._connection, theirs = self._context.Pipe()
            self._process = self._context.Process(target=self._serve, args=(theirs, str(self._folder)))
            self._process.start()
            theirs.close()
        self._connection.send(str(path))
        try:
            if self._connection.poll(limit):
                return self._connection.recv()
            outcome = f"no answer within {limit:g} s"
        except (EOFError, ConnectionError):
            self._process.join()
            outcome = f"the process died with code {self._process.exitcode}"
        self.close()
        return outcome

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._connection.close()
            self._process = None


@dataclass
class Outcome:
    """How the variants ended: counts by kind, and what failed by the variant's number."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)


def fuzz(work: Path, *, variants: int, seed: int, limit: float = 60.0) -> Outcome:
    """Read so many variants; variant k of a seed is the same whatever their number is."""
    outcome, kept = Outcome(), work / "failed"
    here, temporary = work / "here", work / "temporary"
    for folder in (here, temporary, kept):
        folder.mkdir(parents=True, exist_ok=True)
    earlier = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(temporary)
    originals = sources()
    worker = Worker(here)
    try:
        for number in range(variants):
            rng = np.random.default_rng([seed, number])
            of_a_kind = originals[int(rng.integers(len(originals)))]
            suffix, data, marks = of_a_kind[int(rng.integers(len(of_a_kind)))]
            path = work / f"variant{suffix}"
            path.write_bytes(mutate(data, rng, marks=marks))
            found = worker.ask(path, limit)
            strays = [p for folder in (here, temporary) for p in folder.rglob("*")]
            if strays:
                found = f"files were left behind: {strays}"
            outcome.counts[found if found in _KINDS else "failed"] += 1
            if found not in _KINDS:
                outcome.failures[f"{seed}-{number}"] = found
                path.rename(kept / f"{seed}-{number}{suffix}")
            path.unlink(missing_ok=True)
    finally:
        worker.close()
        if earlier is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = earlier
    return outcome


def main() -> None:
    """Run by hand; exit 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds for one variant")
    parser.add_argument("--work", type=Path, help="folder for variants; a fresh one if left out")
    options = parser.parse_args()
    work = (options.work or Path(tempfile.mkdtemp(prefix="ipvg-fuzz-"))).resolve()
    outcome = fuzz(work, variants=options.variants, seed=options.seed, limit=options.limit)
    lines = [f"{options.variants} variants, seed {options.seed}: {dict(outcome.counts)}"]
    lines += [f"{work / 'failed' / name}: {what}" for name, what in outcome.failures.items()]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.exit(bool(outcome.failures))


if __name__ == "__main__":
    main()
