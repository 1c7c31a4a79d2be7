"""How pytest-xdist hands out the tests: by file, but all pages of the console to one worker."""

from xdist.scheduler import LoadScopeScheduling

PAGES = "tests/console/"


class ByFile(LoadScopeScheduling):
    """Keep together what shares fixtures: a file, and the pages, which share a browser.

    Marks with ``--dist loadgroup`` would say the same, but pytest-xdist 3.8 does not see them with
    pytest 9.2 and hands out single tests without a word.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return PAGES if file.startswith(PAGES) else file
