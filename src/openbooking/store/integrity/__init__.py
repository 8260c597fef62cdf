"""The integrity check that `openbooking doctor` runs."""
