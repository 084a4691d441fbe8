"""Record what the sample of `ipvg-eval doctor` measures under protocols without weights.

    python tests/makers/doctor_sample.py

Run on a machine whose `lite` numbers agree with those of tests/golden/runs, and look at the change.
"""

from __future__ import annotations

import json

from ipvg_eval.doctor.measuring import SAMPLE, measure, sample_target
from ipvg_eval.metrics.protocols.loading import load_protocol
from ipvg_eval.metrics.registry import evaluator_class
from ipvg_eval.metrics.runtime import Runtime
from ipvg_eval.metrics.weights import WeightStore

_RELATIVE = 2e-3  # other decoders and libraries round differently
_LEAST = 5e-4


def main() -> None:
    """Write recorded.json."""
    runtime = Runtime(weights=WeightStore())
    parts = [(part.cls, part.options) for part in load_protocol("lite").parts]
    amplitude = evaluator_class("motion_amplitude")
    recorded = {}
    for cls, options in [*parts, (amplitude, amplitude.Options())]:
        values = measure(cls(options, runtime), SAMPLE / "clip.mp4", sample_target("own.webp"))
        for name, value in values.items():
            if value is not None:
                recorded[name] = [round(value, 6), round(max(_LEAST, _RELATIVE * abs(value)), 6)]
    text = json.dumps(recorded, indent=1, sort_keys=True)
    (SAMPLE / "recorded.json").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
