"""How pytest-xdist hands out the tests: by file, but some folders whole to one worker."""

from xdist.scheduler import LoadScopeScheduling

TOGETHER = {"tests/console/": "pages", "tests/e2e/": "platforms", "tests/chaos/": "platforms"}
"""Pages share a console and a browser; of whole platforms, whose recovery is timed, one runs at a
time."""


class ByFile(LoadScopeScheduling):
    """Keep together what shares fixtures: a file, and the folders above.

    Marks with ``--dist loadgroup`` would say the same, but pytest-xdist 3.8 does not see them with
    pytest 9.2 and hands out single tests without a word.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((name for folder, name in TOGETHER.items() if file.startswith(folder)), file)
