"""The measures. Each is a class with a name, figures, a number of rounds, and `sample`, which measures one subject once."""
