"""The telephone network, reached through a carrier, and only under a grant."""
