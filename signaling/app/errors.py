"""Why a server cannot start."""


class StartError(Exception):
    """The server cannot start; one sentence."""


class InUseError(StartError):
    """Another program has the data folder."""
