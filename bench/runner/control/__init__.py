"""What the control plane costs, and how fast it follows a cluster of a given size."""
