"""Write the package: names are filled into the template's files, and the card is made from its spec."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

from ipvg_eval.core.errors import UsageError
from ipvg_eval.core.spec import MetricSpec
from ipvg_eval.metrics.plugins import COLUMNS, METRIC_NAME
from ipvg_eval.metrics.registry import EVALUATORS

_TEMPLATE = resources.files("ipvg_eval.new_metric") / "template"
_PLACES = {
    "pyproject.toml.txt": "pyproject.toml",
    "README.md.txt": "README.md",
    "protocol.yaml": "protocol.yaml",
    "__init__.py.txt": "src/$module/__init__.py",
    "spec.py.txt": "src/$module/spec.py",
    "maths.py.txt": "src/$module/maths.py",
    "evaluator.py.txt": "src/$module/evaluator.py",
    "test_metric.py.txt": "tests/test_$metric.py",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A new package.

    Attributes:
        folder: where it is.
        package: its distribution's name.
        module: its import name.
        metric: the metric's name, and its evaluator's.
        files: what was written, relative to the folder.
    """

    folder: Path
    package: str
    module: str
    metric: str
    files: tuple[str, ...]


def write_package(name: str, out: Path | None = None) -> Written:
    """Write a package that measures a metric of this name; until it is changed, how colourful frames are.

    Args:
        name: of the metric, such as "colourfulness" or "skin-tone".
        out: the package's folder; ipvg-eval-NAME where None.

    Raises:
        UsageError: the name is taken or is none, or the folder holds something or cannot be written.
    """
    metric = name.strip().lower().replace("-", "_").replace(" ", "_")
    _check_name(metric, name)
    package = f"ipvg-eval-{metric.replace('_', '-')}"
    folder = out or Path(package)
    words = {
        "metric": metric,
        "package": package,
        "module": f"ipvg_eval_{metric}",
        "Class": "".join(part.capitalize() for part in metric.split("_")),
        "CONSTANT": metric.upper(),
        "title": metric.replace("_", " ").capitalize(),
    }
    files = {
        Template(place).substitute(words): Template((_TEMPLATE / source).read_text("utf-8")).substitute(words)
        for source, place in _PLACES.items()
    }
    files[f"src/{words['module']}/py.typed"] = ""
    files["card.md"] = _card(files[f"src/{words['module']}/spec.py"], words)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(
                "there is something here already", path=folder, hint="Name an empty folder with --out."
            )
        for place, text in files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"the package cannot be written ({error.strerror or error})",
            path=folder,
            hint="Name another folder with --out.",
        ) from error
    return Written(
        folder=folder, package=package, module=words["module"], metric=metric, files=tuple(sorted(files))
    )


def _check_name(metric: str, name: str) -> None:
    from ipvg_eval.metrics.corpus import CORPUS_METRICS
    from ipvg_eval.metrics.formulas import FORMULAS

    if not METRIC_NAME.fullmatch(metric):
        raise UsageError(
            f"{name!r} cannot be a metric's name",
            hint="Letters a to z, digits, - and _, a letter first, 60 at most: skin-tone.",
        )
    if metric in {*FORMULAS, *CORPUS_METRICS, *EVALUATORS}:
        raise UsageError(f"{metric!r} is one of ipvg-eval's own names", hint="Choose another name.")
    if metric in COLUMNS:
        raise UsageError(f"{metric!r} is a column of every table", hint="Choose another name.")


def _card(spec_file: str, words: dict[str, str]) -> str:
    """The card of the spec that the template declares, by the writer of our own cards."""
    from ipvg_eval.metrics.cards import card

    declared = {
        ast.unparse(line.targets[0]): line.value
        for line in ast.parse(spec_file).body
        if isinstance(line, ast.Assign)
    }
    given = declared[words["CONSTANT"]]
    assert isinstance(given, ast.Call)
    spec = MetricSpec(**{str(word.arg): ast.literal_eval(word.value) for word in given.keywords})
    formula = ast.literal_eval(declared["FORMULA"])
    return card(words["metric"], spec, {spec.name: str(formula)})
