"""A message on variable message signs (诱导屏): proposed by plans, approved, shown, taken down."""

from catalog.base import text
from catalog.plan.steps import advice

RECORD = advice("sign_message", text("诱导信息", "Sign message"), text("诱导信息", "Sign messages"))
