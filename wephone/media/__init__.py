"""The media of a headless peer: devices, Opus, jitter, ICE and one connection per call.

Nothing is imported here: `wephone.media.peer` loads aiortc and PyAV, the rest as little as it can.
"""
