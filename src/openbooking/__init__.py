"""A Booking System for the OpenActive Open Booking API 1.0."""

__version__ = "0.1.0"
