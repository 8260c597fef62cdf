"""A sample web site of a Broker: it finds, books, takes a pretended payment, tells what has changed, and cancels.

The folder is meant to be copied, so its modules import each other relatively and use `openbooking.broker` alone. Its
README is in `examples/broker_app/`. `openbooking demo` serves it beside the Booking System.

`app` joins the parts. `finding`, `paying` and `bookings` answer requests, which `visits` receives. `sessions` names the
Customer of a request. `following` harvests, follows changes and recovers, and `news` keeps what Customers are told.
"""
