"""Who a caller is and what they may do."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Each role may do what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Tell whether this role may do what ``needed`` may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller of an operation: a person's session or an API key."""

    name: str
    role: Role
    anonymous: bool = False

    def may(self, needed: Role) -> bool:
        """Tell whether the caller may do what ``needed`` may."""
        return self.role.covers(needed)
