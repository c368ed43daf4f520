"""The whole server, killed at any moment, under clients that reconnect by themselves."""
