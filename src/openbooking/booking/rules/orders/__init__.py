"""The rules of quotes, Orders and OrderProposals."""
