"""Migrations of the club."""
