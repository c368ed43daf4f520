"""Wires everything: the only room that knows every part of the server."""
