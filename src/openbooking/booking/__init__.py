"""The decisions of a Booking System: data in `model`, pure rules, commands, and the protocol of a store."""
