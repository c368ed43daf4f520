"""What the server decides: no I/O, no clock, no randomness; told what happened, says what to do."""
