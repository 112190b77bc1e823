class Failure(Exception):
    """The benchmark could not complete, or data came out wrong. Its text is all that is printed."""
