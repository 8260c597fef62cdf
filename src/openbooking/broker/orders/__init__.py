"""What becomes of Orders and OrderProposals: their feeds, their latest versions and the changes between versions."""
