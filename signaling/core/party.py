"""Who takes part: a user, on one device."""

from dataclasses import dataclass

from wephone.protocol.ids import DeviceId, UserId


@dataclass(frozen=True, slots=True, order=True)
class Party:
    """One device of one user."""

    user: UserId
    device: DeviceId
