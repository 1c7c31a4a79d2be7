"""Errors of the runtimes; each message says what to do next."""

from __future__ import annotations


class DeployError(Exception):
    """Report that a set-up or start step failed; the text is shown to the person as it is."""


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
