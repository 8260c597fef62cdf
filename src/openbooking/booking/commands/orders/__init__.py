"""Commands about quotes, Orders and OrderProposals."""
