"""Is this installation whole, and are its numbers right?"""

from ipvg_eval.doctor.examination import Examination, examine

__all__ = ["Examination", "examine"]
