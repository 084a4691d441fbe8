"""The ground floor: what several packages must agree on. It imports nothing of ours, and never torch."""
