"""Mixed load for as long as is asked, with every connection accounted for: see README.md."""
