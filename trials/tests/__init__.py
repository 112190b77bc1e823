"""That trials notice what they are there for: each check is shown something that is wrong."""
