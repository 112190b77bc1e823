"""What becomes of results: the report with its plots, and the comparison of two. Reads bench/results/*.json and nothing else."""
