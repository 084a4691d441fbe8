"""The notebooks run from top to bottom, as they are, and are kept without what they printed."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed: pip install nbclient ipykernel")
nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

FOLDER = Path(__file__).resolve().parents[1] / "docs/notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def _read(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def _figures(cell):
    for output in cell.get("outputs", ()):
        if "image/png" in output.get("data", {}):
            yield Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"])))


def _text(cell):
    return "".join(o.get("text", "") or o.get("data", {}).get("text/plain", "") for o in cell["outputs"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_kept_without_outputs(path):
    code = [cell for cell in _read(path).cells if cell.cell_type == "code"]
    assert code
    assert not [cell for cell in code if cell.outputs or cell.execution_count is not None]


@pytest.mark.filterwarnings("default")  # of the kernel's client, while it looks for its folders
def test_first_steps_go_from_a_video_to_figures(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    notebook = _read(FOLDER / "first_steps.ipynb")
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}
    ).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    drawn = [cell for cell in code if "plot." in cell.source and "import" not in cell.source]
    assert len(drawn) == 4
    for cell in drawn:
        [figure] = _figures(cell)
        assert len(figure.convert("RGB").getcolors(1 << 24)) > 20, cell.source
    [missing] = [cell for cell in code if ".missing" in cell.source]
    assert "lite_identity" in _text(missing)
    [latex] = [cell for cell in code if "to_latex" in cell.source and "import" not in cell.source]
    assert r"\textbf{" in _text(latex)
    assert list(tmp_path.rglob("timeline.pdf"))
