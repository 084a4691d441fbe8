"""Audits: what a metric alone would reward, for a person to look at."""

from ipvg_eval.audit.auditing import audit, is_run
from ipvg_eval.audit.model import KINDS, AuditFinding, AuditReport
from ipvg_eval.audit.thresholds import Thresholds, load_thresholds

__all__ = ["KINDS", "AuditFinding", "AuditReport", "Thresholds", "audit", "is_run", "load_thresholds"]
