"""A callback for training loops: diffusers and accelerate scripts, Lightning, a loop of one's own."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import torch

from ipvg_eval.core.errors import UsageError
from ipvg_eval.scoring import Recipe, Scorer, VideoMeasurements
from ipvg_eval.training.evaluation import Evaluation, FixedSample, means_of
from ipvg_eval.training.undisturbed import gpu_in_use, training_undisturbed

Generate = Callable[[Any, FixedSample], Any]
Log = Callable[[dict[str, float], int], object]


class EveryNSteps:
    """Generates a small fixed set with the pipeline that is being trained, measures it and logs the means.

        evaluate = EveryNSteps(500, samples, recipe=Recipe(protocol="ipvg"), log=accelerator.log)
        for step, batch in enumerate(loader, start=1):
            ...
            if accelerator.is_main_process:
                evaluate(step, pipeline)

    The training goes on as if nothing had happened: random states, the modules' modes and the scheduler are
    put back, whatever happens meanwhile, and no gradients are kept. The pipeline's modules must be whole on
    the process that calls. What the pipeline raises is raised.

    For Lightning, `class Quality(EveryNSteps, lightning.Callback)` is a callback: the module's attribute
    `pipeline`, or the module itself, generates.

    Attributes:
        last: what came of the last evaluation; None before the first.
    """

    def __init__(
        self,
        steps: int,
        samples: Sequence[FixedSample],
        *,
        recipe: Recipe | Scorer | None = None,
        generate: Generate | None = None,
        log: Log | None = None,
        fps: float | Fraction | None = None,
        release: bool = False,
        prefix: str = "eval/",
        quiet: bool = False,
    ) -> None:
        """Load nothing yet.

        Args:
            steps: how many steps apart, at least 1.
            samples: the fixed set, at least one.
            recipe: how videos are measured, or a scorer that does; the published metrics where None.
            generate: takes the pipeline and a sample, gives frames as `Scorer` takes them; where None, a
                pipeline of diffusers is called with `prompt`, `generator`, `output_type="pil"` and the
                sample's inputs, and the first video of its `frames` is taken.
            log: takes the means, their names behind the prefix, and the step: `accelerator.log`,
                `wandb.log`, a logger's `log_metrics`; Lightning's own logger where None.
            fps: frames per second of what is generated; 25 where None.
            release: take the metrics' networks off the GPU after each evaluation, and load them again for the
                next; otherwise they stay, beside the training. A scorer that is given stays.
            prefix: of the logged names.
            quiet: do not print to stderr what each evaluation cost.

        Raises:
            UsageError: there is no sample, or steps is no positive number.
        """
        super().__init__()
        if steps < 1 or not samples:
            raise UsageError(
                f"every {steps} steps, {len(samples)} samples", hint="Both must be positive numbers."
            )
        self._steps = steps
        self._samples = tuple(samples)
        self._recipe = recipe or Recipe()
        self._generate = generate or with_diffusers
        self._log = log
        self._fps = fps
        self._release = release
        self._prefix = prefix
        self._quiet = quiet
        self._scorer: Scorer | None = recipe if isinstance(recipe, Scorer) else None
        self.last: Evaluation | None = None

    def __call__(self, step: int, pipeline: Any) -> Evaluation | None:
        """After a training step, counted from 1: evaluate, if it is one of every N and not done yet."""
        if step % self._steps or step == 0 or (self.last is not None and self.last.step == step):
            return None
        return self.evaluate(step, pipeline)

    def evaluate(self, step: int, pipeline: Any) -> Evaluation:
        """Generate, measure, log and print, whatever the step.

        Raises:
            UsageError: what was generated is no clip.
            MetricsError: the protocol, its weights or the device cannot be used.
        """
        found = self._evaluated(step, pipeline)
        self.last = found
        if self._log is not None:
            self._log(self._named(found), step)
        if not self._quiet:
            sys.stderr.write(f"{found}\n")
        return found

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *_: Any, **__: Any) -> None:
        """Lightning's hook."""
        if not trainer.is_global_zero:
            return
        found = self(trainer.global_step, getattr(pl_module, "pipeline", pl_module))
        if found is not None and self._log is None and trainer.logger is not None:
            trainer.logger.log_metrics(self._named(found), found.step)

    def _evaluated(self, step: int, pipeline: Any) -> Evaluation:
        if gpu_in_use():
            torch.cuda.reset_peak_memory_stats()
        begun = time.perf_counter()
        videos: list[VideoMeasurements] = []
        generating = 0.0
        with training_undisturbed(pipeline):
            scorer = self._scorer or self._recipe_scorer()
            loaded = time.perf_counter()
            for sample in self._samples:
                started = time.perf_counter()
                frames = self._generate(pipeline, sample)
                generating += time.perf_counter() - started
                found = scorer(frames, reference=sample.reference, prompt=sample.prompt, fps=self._fps)
                videos.append(found)
                del frames
            combined = scorer.protocol.combined
            del scorer  # so that nothing holds the networks where they are to go
        ended = time.perf_counter()
        peak = torch.cuda.max_memory_allocated() if gpu_in_use() else None
        if self._release and not isinstance(self._recipe, Scorer):
            self._scorer = None
            gc.collect()
            torch.cuda.empty_cache()
        return Evaluation(
            step=step,
            means=means_of(videos, combined),
            videos=tuple(videos),
            loading=loaded - begun,
            generating=generating,
            scoring=ended - loaded - generating,
            peak=peak,
        )

    def _recipe_scorer(self) -> Scorer:
        assert isinstance(self._recipe, Recipe)
        self._scorer = self._recipe.build()
        return self._scorer

    def _named(self, found: Evaluation) -> dict[str, float]:
        values: Mapping[str, float] = {**found.means, "seconds": found.seconds}
        return {f"{self._prefix}{name}": value for name, value in values.items()}


def with_diffusers(pipeline: Any, sample: FixedSample) -> Any:
    """The frames that a pipeline of diffusers gives for a sample, as a list of Pillow's pictures."""
    generator = torch.Generator().manual_seed(sample.seed)
    inputs = {"prompt": sample.prompt, "generator": generator, "output_type": "pil", **sample.inputs}
    return pipeline(**inputs).frames[0]
