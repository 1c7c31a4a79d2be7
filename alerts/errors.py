"""What a person may have got wrong about alerts, told apart for an API's answer."""


class NotFoundError(LookupError):
    """There is no such thing."""


class ConflictError(ValueError):
    """It cannot be done as things stand; the text says what to do instead."""


class UnknownUserError(ValueError):
    """Nobody of this name can be given anything; the text says who can."""
