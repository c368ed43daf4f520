"""The sound of telephone legs: a bridge between WebRTC and a trunk's RTP, in a process of its own."""
