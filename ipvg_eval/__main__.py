"""`python -m ipvg_eval`."""

from ipvg_eval.cli import main

main()
