"""The pages on which a Seller manages its affairs."""
