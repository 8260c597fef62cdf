"""Reads values as providers publish them: types, identifiers, instants, periods, numbers and prices.

Imports and the client of Brokers read published items with these functions, so that both understand the same.
"""
