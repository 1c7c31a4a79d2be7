"""When a rule is on and off, in words."""

from catalog.early import AHEAD_H, END, RAISE, EarlyRule
from catalog.model import (
    AnyRule,
    HealthRule,
    JointRule,
    JudgingAbsenceRule,
    LogRule,
    OverdueRule,
    WatchRule,
)
from console.texts import Words


def rule_text(words: Words, rule: AnyRule) -> str:
    """Return in words when a rule is on and off."""
    if isinstance(rule, WatchRule):
        return words("alert.silent", after_s=rule.after_s)
    if isinstance(rule, JudgingAbsenceRule):
        return words("alert.stalled", after_s=rule.after_s)
    if isinstance(rule, LogRule):
        return words("alert.log_break", after_s=rule.after_s)
    if isinstance(rule, OverdueRule):
        return words("alert.overdue")
    if isinstance(rule, JointRule):
        return words("alert.joint", deadband=f"{rule.deadband:g}")
    if isinstance(rule, EarlyRule):
        raised, ended = (f"{100 * chance:.0f}" for chance in (RAISE, END))
        return words("rule.early_how", hours=AHEAD_H, raised=raised, ended=ended)
    if isinstance(rule, HealthRule):
        timed = {"for_s": f"{rule.for_s:g}", "clear_s": f"{rule.clear_s:g}"}
        return words("alert.unwell", **timed)
    timed = {"for_s": f"{rule.for_s:g}", "clear_s": f"{rule.clear_s:g}"}
    return words("alert.how", deadband=f"{rule.deadband:g}", **timed)
