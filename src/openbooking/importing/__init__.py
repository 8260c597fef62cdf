"""Imports: what providers publish is read, joined with parents and Sellers, published, and reported on."""
