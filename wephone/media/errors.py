"""What can go wrong with media, by whose fault it is."""


class DescriptionError(Exception):
    """The far end's description or candidate is not one we can use; the call is as it was."""


class StateError(Exception):
    """Asked out of turn: an answer without an offer, anything after close."""


class DeviceError(Exception):
    """A microphone, loudspeaker or file that cannot be used; the text is for the person."""


class CodecError(Exception):
    """libopus is missing, or refused what it was given."""
