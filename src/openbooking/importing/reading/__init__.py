"""Readers: published JSON-LD becomes drafts of Opportunities, without a store or a network."""
