"""The Seller's console: pages for the users of Sellers.

Each package has the pages of one subject, and `routes` lists the routes of all pages.
"""
