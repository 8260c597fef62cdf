"""The exchanges of the sandbox: the last requests of Brokers, with their answers.

`operations` names what a request asks for, `exchange` describes one request with its answer, and `record` keeps them.
"""
