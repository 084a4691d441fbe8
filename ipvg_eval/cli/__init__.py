"""The `ipvg-eval` command. One module per subcommand; heavy imports happen inside them."""

from ipvg_eval.cli.app import main

__all__ = ["main"]
