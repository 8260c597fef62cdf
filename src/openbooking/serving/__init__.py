"""Processes that serve HTTP: sockets, connection limits, signals, memory and logs."""
