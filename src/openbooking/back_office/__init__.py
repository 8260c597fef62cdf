"""The parts that the Seller's console and the commands share: words, formats, rows of lists, and what a decision does.

The pages and the commands decide nothing, and neither does this package: every change is a Command.
"""
