"""What can go wrong before or while measuring, each with what to do next."""

from __future__ import annotations

from ipvg_eval.core.errors import ExitCode, IpvgError


class MetricsError(IpvgError):
    """Base of this package's errors."""


class ProtocolError(MetricsError):
    """A protocol file, an option or a metric name is not understood."""

    exit_code = ExitCode.USAGE


class WeightsMissing(MetricsError):
    """Weights, or the package that carries them, are not on this machine."""

    exit_code = ExitCode.UNAVAILABLE


class DeviceUnavailable(MetricsError):
    """The requested device does not exist here."""

    exit_code = ExitCode.UNAVAILABLE
