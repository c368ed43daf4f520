"""The client's half of a call and of a session: no I/O, no clock, no randomness."""
