"""The test classes of the kit, by subject; `openbooking.testing` exports those that store authors inherit from."""
