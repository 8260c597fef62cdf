"""What was wrong with the requests of a Broker, in words, with the requirement.

`error_classes` explains the errors of answers. `rules` finds what Brokers must not do although it may succeed. All are
pure functions of exchanges; `advise` joins them.
"""
