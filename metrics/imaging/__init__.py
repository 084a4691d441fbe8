"""Technical quality of single frames."""
