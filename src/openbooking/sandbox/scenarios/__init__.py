"""Scenarios: files that say what happens to a Broker, and what is expected of it (`openbooking sandbox --scenario`).

`scenario` reads the files, `playing` does what they say while the Broker runs, `expectations` compares the result, and
`run` runs the command of the Broker.
"""
