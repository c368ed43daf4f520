"""What client and server say to each other, and nothing else."""
