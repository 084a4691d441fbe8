"""The user study: which of two teams' videos do people find better, or how good do they find each?

`create_study` makes a study folder from the finalists' videos, `study.serve.serve` shows it to annotators,
`study_votes` reads their votes, `study_opinions` their ratings. The folder holds `study.db`, which alone
knows the teams' names, and `media/`, clips and pictures under random names, of which nothing but the pictures
says whose they are.
"""

from ipvg_eval.leaderboard.study.annotators import invitation, new_annotators, release
from ipvg_eval.leaderboard.study.config import StudyConfig, read_study_config
from ipvg_eval.leaderboard.study.create import Created, create_study
from ipvg_eval.leaderboard.study.errors import StudyError
from ipvg_eval.leaderboard.study.exclusion import ExclusionRates, simulated_exclusion
from ipvg_eval.leaderboard.study.export import audit_table, study_votes, votes_table
from ipvg_eval.leaderboard.study.filling import LeftOut
from ipvg_eval.leaderboard.study.overview import Overview, overview
from ipvg_eval.leaderboard.study.questions import Question
from ipvg_eval.leaderboard.study.rating_export import opinions_table, ratings_audit, study_opinions
from ipvg_eval.leaderboard.study.store import open_study
from ipvg_eval.leaderboard.study.subjects import StudyPicture, StudySample, StudyTeam

__all__ = [
    "Created",
    "ExclusionRates",
    "LeftOut",
    "Overview",
    "Question",
    "StudyConfig",
    "StudyError",
    "StudyPicture",
    "StudySample",
    "StudyTeam",
    "audit_table",
    "create_study",
    "invitation",
    "new_annotators",
    "open_study",
    "opinions_table",
    "overview",
    "ratings_audit",
    "read_study_config",
    "release",
    "simulated_exclusion",
    "study_opinions",
    "study_votes",
    "votes_table",
]
