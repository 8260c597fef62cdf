"""The studio's software, if it is a Django project: walk-ins in the admin."""
