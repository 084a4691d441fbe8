"""Every setting of a generating system, checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ipvg_eval.reference_generator.architectures import architecture
from ipvg_eval.reference_generator.model_settings import ModelSettings, RuntimeSettings
from ipvg_eval.reference_generator.section import Positive, Section
from ipvg_eval.reference_generator.system_settings import CommandSettings, DiffusersSettings, HttpSettings


class VideoSettings(Section):
    """The file that is written.

    Attributes:
        width: pixels, even; of Wan's models a multiple of 16, of some 32.
        height: likewise.
        frames: frames of one pass, of Wan's models 4 n + 1.
        fps: frames per second.
        crf: x264's quality, lower is better.
    """

    width: Annotated[int, Field(ge=32, multiple_of=2)]
    height: Annotated[int, Field(ge=32, multiple_of=2)]
    frames: Positive
    fps: Annotated[float, Field(gt=0)]
    crf: Annotated[int, Field(ge=0, le=51)] = 17


class SamplingSettings(Section):
    """How the video is denoised.

    Attributes:
        steps: denoising steps.
        guidance: classifier-free guidance scale; 1 or less switches it off.
        guidance_low_noise: the same for the second expert of a two-expert model; None for `guidance`.
        boundary: share of the noise levels above which the first expert of a two-expert model works.
        shift: the flow schedule's shift.
        seed: base of every sample's own seed.
        same_seed: make every video with `seed` itself, as most published programs do; equal noise then lies
            under all videos of a run.
        negative_prompt: what to steer away from.
        text_length: tokens that the text encoder's answer is padded or cut to.
        conditioning_scale: strength of VACE's hints.
    """

    steps: Positive = 50
    guidance: float = 5.0
    guidance_low_noise: float | None = None
    boundary: Annotated[float, Field(gt=0, lt=1)] | None = None
    shift: Annotated[float, Field(gt=0)] = 5.0
    seed: Annotated[int, Field(ge=0)] = 2025
    same_seed: bool = False
    negative_prompt: str = ""
    text_length: Positive = 512
    conditioning_scale: float = 1.0


class IdentitySettings(Section):
    """Identity guidance of TPIGE, for VACE models.

    Attributes:
        scale: Wi, the weight of the difference to an answer without the reference; 0 is plain VACE.
        form: "paper" adds Wi (cond - weak) to classifier-free guidance at `sampling.guidance`; "code" adds
            Wi (guided - weak) as the authors' program does, which is the paper's form at a higher guidance.
        skip_blocks: transformer blocks that the weak answer leaves out.
    """

    scale: Annotated[float, Field(ge=0)] = 0.0
    form: Literal["paper", "code"] = "paper"
    skip_blocks: tuple[Annotated[int, Field(ge=0)], ...] = (2,)


class PhantomSettings(Section):
    """Three-branch guidance of Phantom: without both, with pictures, with pictures and text.

    Attributes:
        image_guidance: scale of the step from nothing to the pictures.
        slots: latent frames for pictures, where those without one stay empty; None for as many as pictures.
    """

    image_guidance: float = 5.0
    slots: Positive | None = None


class PromptSettings(Section):
    """How the prompt is rewritten.

    Attributes:
        rewriter: "none", an OpenAI-compatible "endpoint", or a "local" transformers model.
        task: "face" inserts a description of the reference's face; "video" rewrites for the video model.
        base_url: the endpoint's address up to and without /chat/completions.
        model: the language model's name there, or its Hugging Face repository or folder.
        key_variable: environment variable that holds the endpoint's key, if it wants one.
        timeout: seconds until a request is given up.
        attempts: how often a request is sent before it counts as failed.
        send_picture: show the reference picture to the language model.
        max_tokens: length of an answer.
    """

    rewriter: Literal["none", "endpoint", "local"] = "none"
    task: Literal["face", "video"] = "face"
    base_url: str = "http://localhost:8000/v1"
    model: str = "Qwen/Qwen2.5-VL-7B-Instruct"
    key_variable: str = "OPENAI_API_KEY"
    timeout: Annotated[float, Field(gt=0)] = 120.0
    attempts: Positive = 3
    send_picture: bool = True
    max_tokens: Positive = 512


class PictureSettings(Section):
    """A picture made from the reference: a first frame, or an enhanced reference.

    Attributes:
        use: "none", "reference" (replaces the reference picture) or "first_frame" (the video starts there).
        repo: Hugging Face repository of an image-editing pipeline.
        revision: its branch, tag or commit.
        path: a folder in the same layout that is used instead of the repository.
        prompt_from: text that the picture's prompt is written from: the test set's "caption", or the "video"
            prompt that the language model has made of it.
        steps: denoising steps.
        guidance: the pipeline's guidance scale.
        strength: how far to move from the reference; None where the pipeline knows no strength.
        attempts: how many pictures to try.
        min_similarity: a face similarity with the reference that ends the trying.
        stored_gb: size of its files in GB, for the list of missing models.
        billions: its parameters, for the estimate; None where they are not known.
    """

    use: Literal["none", "reference", "first_frame"] = "none"
    repo: str = "Qwen/Qwen-Image-Edit"
    revision: str = "ac7f9318f633fc4b5778c59367c8128225f1e3de"
    path: str | None = None
    prompt_from: Literal["caption", "video"] = "caption"
    steps: Positive = 40
    guidance: float = 4.0
    strength: Annotated[float, Field(gt=0, le=1)] | None = None
    attempts: Positive = 3
    min_similarity: Annotated[float, Field(ge=-1, le=1)] = 0.5
    stored_gb: float | None = 57.7
    billions: Annotated[float, Field(gt=0)] | None = 20.4


class ReferenceSettings(Section):
    """What is done with the test set's reference pictures.

    Attributes:
        segment: cut what the reference's label says, else people, out of the background, as VACE's guide
            advises.
        repo: Hugging Face repository of an image-segmentation model of transformers.
        revision: its branch, tag or commit.
        path: a folder in the same layout that is used instead of the repository.
    """

    segment: bool = False
    repo: str = "shi-labs/oneformer_coco_swin_large"
    revision: str = "main"
    path: str | None = None


class TimelineSettings(Section):
    """What to do with a timeline of events.

    Attributes:
        mode: "segments" lets every latent frame see its own event's text; "global" uses one prompt.
        overlap: frames that a longer video's next pass takes over from the last; 4 n + 1.
        max_seconds: longest video that is made.
        match_colours: give every further pass the colours that its overlap had before, so that none drift.
    """

    mode: Literal["segments", "global"] = "segments"
    overlap: Annotated[int, Field(ge=1)] = 5
    max_seconds: Annotated[float, Field(gt=0)] = 60.0
    match_colours: bool = True

    @model_validator(mode="after")
    def _latent_frames(self) -> Self:
        if self.overlap % 4 != 1:
            raise ValueError(f"overlap must be 4 n + 1, such as 1, 5 or 9; it is {self.overlap}")
        return self


class Published(Section):
    """How one thing is in the published system, for the table of differences.

    Attributes:
        value: there.
        here: here, where no setting says it.
        why: the reason of a difference.
    """

    value: str | float | int
    here: str = ""
    why: str = ""


class Settings(Section):
    """A whole system.

    Attributes:
        name: the preset it came from.
        title: one line for people.
        system: kind of system, a file in `systems/kinds` or an entry point of another package; a preset may
            call it `kind`.
        tiny: replace every model by a tiny random one that is built here, to try the way from test set to
            leaderboard. The videos are noise.
        command: for systems of kind "command".
        http: for systems of kind "http".
        diffusers: for systems of kind "diffusers".
        options: for systems of other packages.
        source: where the published system is described.
        published: what it does there, by the setting's dotted name or in words; see `published.py`.
    """

    name: str
    title: str
    system: str
    tiny: bool = False
    model: ModelSettings = ModelSettings()
    video: VideoSettings
    sampling: SamplingSettings = SamplingSettings()
    identity: IdentitySettings = IdentitySettings()
    phantom: PhantomSettings = PhantomSettings()
    prompt: PromptSettings = PromptSettings()
    picture: PictureSettings = PictureSettings()
    references: ReferenceSettings = ReferenceSettings()
    timeline: TimelineSettings = TimelineSettings()
    runtime: RuntimeSettings = RuntimeSettings()
    command: CommandSettings = CommandSettings()
    http: HttpSettings = HttpSettings()
    diffusers: DiffusersSettings = DiffusersSettings()
    options: dict[str, Any] = Field(default_factory=dict)
    source: str = ""
    published: dict[str, Published] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        from ipvg_eval.reference_generator.systems.registry import kind_of

        kind_of(self.system).check(self)
        if self.model.architecture is not None:
            self._check_size(self.model.architecture)
            self._check_experts(self.model.architecture)
        return self

    def _check_size(self, name: str) -> None:
        step = architecture(name).size_step
        width, height = self.video.width, self.video.height
        if width % step or height % step:
            near = " or ".join(
                f"{w}x{h}" for w, h in zip(_nearest(width, step), _nearest(height, step), strict=True)
            )
            raise ValueError(
                f"{name} makes sizes in steps of {step} pixels; {width}x{height} is none. Near it: {near}"
            )

    def _check_experts(self, name: str) -> None:
        model, two = self.model, architecture(name).experts == 2
        if model.weights_2 is not None and not two:
            raise ValueError(f"{name} has one transformer; leave model.weights_2 out")
        if two and (model.weights is None) != (model.weights_2 is None):
            raise ValueError(f"{name} has two transformers, so model.weights and model.weights_2 go together")
        if not two and any(lora.expert != "both" for lora in self.runtime.lora):
            raise ValueError(f"{name} has one transformer; leave expert out of runtime.lora")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as JSON holds them."""
        return self.model_dump(mode="json")


def _nearest(size: int, step: int) -> tuple[int, int]:
    """The multiples of the step at or below, and at or above."""
    return max(step, size // step * step), -(-size // step) * step
