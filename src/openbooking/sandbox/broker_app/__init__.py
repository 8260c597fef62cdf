"""A sample web site of a Broker: it finds, books, takes a pretended payment, tells what has changed, and cancels.

The folder is meant to be copied, so its modules import each other relatively and use `openbooking.broker` alone. Its
README is in `examples/broker_app/`. `openbooking demo` serves it beside the Booking System.

`app` joins the parts. `pages`, `paying` and `bookings` answer requests. `following` harvests, follows changes and
recovers. `sessions` names the Customer of a request. `storage` and `payments` keep what the app itself knows. `views`
and `words` turn replies and errors into what templates show.
"""
