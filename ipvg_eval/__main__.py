"""`python -m ipvg_eval`."""

import sys

if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]  # the current folder, which `-m` puts first: a submission's folder is no library

from ipvg_eval.cli import main

main()
