"""What must not cost a network."""

from __future__ import annotations

import subprocess
import sys


def test_the_training_free_measurement_imports_no_torch():
    code = "import sys, ipvg_eval.metrics.timeline.lite.evaluator; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
