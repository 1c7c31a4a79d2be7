"""Drills, at an address of their own: the list of the records of this kind."""

from console.frame import Page, View
from console.pages.record_list import record_list


async def drills(view: View, state: str = "") -> None:
    """Show the drills, and the form that plans one."""
    await record_list(view, "drill", state)


PAGE = Page("/drills", "drills.title", drills)
