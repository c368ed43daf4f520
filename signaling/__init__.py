"""The server: brokers calls and messages between clients."""
