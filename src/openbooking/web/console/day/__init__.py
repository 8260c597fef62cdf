"""The pages of one day: its occurrences, attendance, and the cancellation of an occurrence."""
