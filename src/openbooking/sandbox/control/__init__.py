"""The control of the sandbox, for the developer of a Broker: the API and the page with which the Seller acts.

`actions` are what the developer asks for, and `seller` does them by Commands. `instance` runs the Booking System, turns
its clock and resets it. `api` and `page` are the two ways in. Only commands, scenarios and fixtures import the control.
"""
