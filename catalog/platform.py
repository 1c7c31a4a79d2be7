"""The platform's own rules: what it says of itself, where streams speak of the city."""

from catalog.base import text
from catalog.rules import JudgingAbsenceRule, PipelineAbsenceRule

PLATFORM = "platform"
"""Stands where other alerts name their stream."""

PLATFORM_TITLE = text("全平台", "The whole platform")

PIPELINE = PipelineAbsenceRule()
PIPELINE_ID = f"{PLATFORM}.{PIPELINE.name}"

JUDGING = JudgingAbsenceRule()
JUDGING_ID = f"{PLATFORM}.{JUDGING.name}"

RULES = {PIPELINE_ID: PIPELINE, JUDGING_ID: JUDGING}
