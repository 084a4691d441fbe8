"""One file per kind of system: what a run must know of it before it is loaded. Nothing here imports torch."""
