"""A sample web site of a Broker: it finds, books, takes a pretended payment, tells what has changed, and cancels.

The folder is meant to be copied. So its modules import each other relatively, and import nothing else of this package
than `openbooking.broker` and `openbooking.openactive`. The README is in `examples/broker_app/`. `openbooking demo`
serves the app beside the Booking System.

`app` joins the parts. `finding`, `paying` and `bookings` answer requests, which `visits` receives. `sessions` names the
Customer of a request. `following` harvests, follows changes and recovers, and `news` keeps what Customers are told.
"""
