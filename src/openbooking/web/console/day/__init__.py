"""The pages of one day: its occurrences, who comes, and the cancellation of an occurrence."""
