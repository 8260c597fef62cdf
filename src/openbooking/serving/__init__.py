"""Processes that serve HTTP.

`processes` starts them, `supervisor` replaces a dead worker, and `server` runs uvicorn in each process. `listening`
opens the sockets, `connection` limits each connection, `logs` formats the logs, and `memory` tunes memory.
"""
