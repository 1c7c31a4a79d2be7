"""Errors of the runtimes; each message says what to do next."""

from __future__ import annotations

from catalog.errors import FatalError


class DeployError(FatalError):
    """Report that a set-up or start step failed; the text is shown to the person as it is."""

    def __init__(self, message: str) -> None:
        super().__init__(message, code="deploy", stage="starting")


class MissingPackagesError(DeployError):
    """Report operating system packages that only an administrator can install."""

    def __init__(self, packages: list[str]) -> None:
        self.packages = packages
        names = " ".join(packages)
        super().__init__(
            f"These system packages are missing: {names}\n"
            f"Install them once:  sudo apt-get update && sudo apt-get install -y {names}\n"
            "or name servers that run: CITYOPS_RUNTIME=external CITYOPS_KAFKA=… CITYOPS_DSN=…"
        )


class StartError(DeployError):
    """Report a process that did not become ready, with the end of its log."""
