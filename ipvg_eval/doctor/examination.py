"""The whole examination, and its record."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from ipvg_eval.core.errors import IpvgError
from ipvg_eval.core.verdict import Verdict
from ipvg_eval.doctor.machine import Finding, bad, examine_machine, good, memory
from ipvg_eval.doctor.numbers import CheckedNumber, check_numbers
from ipvg_eval.metrics.device import check_device_name
from ipvg_eval.metrics.protocols.definition import read_definition
from ipvg_eval.metrics.weights import WeightStore
from ipvg_eval.metrics.weights.places import free_space
from ipvg_eval.metrics.weights.sizes import readable_size
from ipvg_eval.results.doctor_record import CheckedMetric, DoctorRecord, write_record
from ipvg_eval.results.provenance import collect_provenance

_NEEDED_AT_ONCE = 1.5  # weights are read into memory, then moved


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found.

    Attributes:
        protocol: whose numbers were looked at; None for none.
        device: where networks ran; None where none did.
        findings: about the machine and the weights.
        numbers: per metric.
    """

    protocol: str | None
    device: str | None
    findings: tuple[Finding, ...]
    numbers: tuple[CheckedNumber, ...]

    @property
    def ok(self) -> bool:
        """Whether everything that was asked for works, and no number is wrong."""
        sound = all(finding.state != "bad" for finding in self.findings)
        return sound and all(n.verdict not in (None, Verdict.WRONG) for n in self.numbers)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, with the versions that it holds for."""
        return {"ok": self.ok, **asdict(self), "provenance": collect_provenance().model_dump(mode="json")}


def examine(protocol: str | None = None, *, device: str = "auto") -> Examination:
    """Look at this installation, and measure a protocol's numbers on a small clip that is shipped.

    The verdicts are kept for the runs that follow; see `ipvg_eval.results.doctor_record`.

    Args:
        protocol: a shipped protocol or a .yaml file; None looks at the machine only.
        device: "auto", "cpu", "cuda" or "cuda:N".

    Raises:
        ProtocolError: no such protocol.
        UsageError: such a device cannot be.
        DeviceUnavailable: it is not here.
    """
    if protocol is not None:
        read_definition(protocol)  # a wrong word is said at once
    check_device_name(device)
    findings = list(examine_machine())
    from ipvg_eval.core.packages import PackageMissing, working_packages
    from ipvg_eval.metrics.device import resolve_device

    if protocol is None:
        if device != "auto":
            try:
                with working_packages():
                    findings.append(good("device", resolve_device(device)))
            except PackageMissing as error:
                findings.append(bad("device", f"{device}: {error}", error.hint))
        return Examination(protocol=None, device=None, findings=tuple(findings), numbers=())
    from ipvg_eval.metrics.protocols.loading import load_protocol

    try:
        with working_packages():
            loaded, found = load_protocol(protocol), resolve_device(device)
    except PackageMissing as error:
        findings.append(bad("protocol", f"{protocol}: {error}", error.hint))
        return Examination(protocol=protocol, device=None, findings=tuple(findings), numbers=())
    store = WeightStore(loaded.weight_table)
    findings += _weights(store, loaded.required_weights())
    numbers = check_numbers(loaded, device=found, store=store)
    try:
        _keep(numbers, found)
    except OSError as error:
        findings.append(bad("record", f"the verdicts cannot be kept: {error}"))
    return Examination(protocol=protocol, device=found, findings=tuple(findings), numbers=tuple(numbers))


def _weights(store: WeightStore, names: tuple[str, ...]) -> list[Finding]:
    look_ups = [store.look_up(name) for name in names]
    absent = [item for item in look_ups if item.found is None]
    size = sum(item.weight.size or 0 for item in look_ups)
    here = memory()
    findings = []
    if here is not None and size * _NEEDED_AT_ONCE > here:
        need = readable_size(int(size * _NEEDED_AT_ONCE))
        findings.append(bad("memory", f"{readable_size(here)} here, the networks need about {need}"))
    if not absent:
        return [*findings, good("weights", f"{len(look_ups)} of {len(look_ups)} are here and right")]
    lacking = sum(item.weight.size or 0 for item in absent)
    command = f"ipvg-eval weights pull {' '.join(item.weight.name for item in absent)}"
    detail = f"{len(absent)} of {len(look_ups)} are not here ({readable_size(lacking)})"
    free = free_space(store.places.target)
    if lacking > free:
        detail += f", and only {readable_size(free)} of disk are free"
    wrong = [f"{bad_one.path}: {bad_one.reason}" for item in absent for bad_one in item.rejected]
    return [*findings, bad("weights", "; ".join([detail, *wrong]), command)]


def _keep(numbers: list[CheckedNumber], device: str) -> None:
    checked = {
        n.metric: CheckedMetric(verdict=n.verdict, weights=dict(n.weights))
        for n in numbers
        if n.verdict is not None
    }
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_record(
        DoctorRecord(time=now, device=device, packages=collect_provenance().packages, metrics=checked)
    )


def pull_inputs() -> list[str]:
    """Fetch the files of published numbers; returns a line for each."""
    from ipvg_eval.doctor.goldens import INPUTS
    from ipvg_eval.metrics.weights.pull import pull

    lines = []
    for name, weight in INPUTS.items():
        try:
            pulled = pull(name, store=WeightStore(table=INPUTS))
            lines.append(f"{weight.file_name}: {pulled.action}")
        except IpvgError as error:
            lines.append(f"{weight.file_name}: {error}")
    return lines
