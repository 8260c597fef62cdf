"""The timetable: the rules of a Seller become Opportunities. Nothing here reads or writes anything.

`occurrences` makes the Opportunities of an entry, `changes` compares them with the stored ones, and `check` validates a
rule before it is saved. `booking.model.timetable` has the data of the rules.
"""
