"""Experiment trackers: a run as one point of a training's curves.

Nothing is sent anywhere unless the tracker's own variables say so.
"""

from ipvg_eval.trackers.opening import TRACKERS, Tracker, open_tracker
from ipvg_eval.trackers.record import Picture, Record, record_of

__all__ = ["TRACKERS", "Picture", "Record", "Tracker", "open_tracker", "record_of"]
