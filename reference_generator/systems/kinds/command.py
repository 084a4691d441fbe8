"""A program that makes one video per call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ipvg_eval.reference_generator.redaction import SECRET_NAME
from ipvg_eval.reference_generator.systems.kinds.kind import Kind

if TYPE_CHECKING:
    from ipvg_eval.reference_generator.models import Found
    from ipvg_eval.reference_generator.settings import Settings
    from ipvg_eval.reference_generator.task import System


class CommandKind(Kind):
    """Its settings are the section `command`."""

    section = "command"
    incidental = frozenset({"folder", "timeout", "secrets"})
    has_models = False

    def check(self, settings: Settings) -> None:
        """See `Kind.check`."""
        from ipvg_eval.reference_generator.systems.templates import (
            COMMON,
            check_placeholders,
            environment_names,
        )

        super().check(settings)
        command, known = settings.command, COMMON | {"out", "python", "gpu"}
        if not command.argv:
            raise ValueError("command.argv is empty; it is the program with its words, as a list")
        check_placeholders(command.argv, known, "command.argv")
        if environment_names((command.argv, command.environment)):
            raise ValueError("the command sees the environment itself; leave {env:...} out of command.argv")
        check_placeholders(command.environment, known, "command.environment")
        if not any("{out}" in word for word in (*command.argv, *command.environment.values())):
            raise ValueError("command.argv must say where the video goes: use {out}")
        for name in command.environment:
            if SECRET_NAME.search(name):
                raise ValueError(
                    f"command.environment.{name} looks like a secret, which belongs into no file; set it in "
                    "the environment and name it in command.secrets"
                )

    def load(self, settings: Settings, found: dict[str, Found]) -> System:
        """See `Kind.load`."""
        from ipvg_eval.reference_generator.systems.command import CommandSystem

        del found
        return CommandSystem(settings)


KIND = CommandKind()
