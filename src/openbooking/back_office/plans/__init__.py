"""What a decision of a Seller will do, before it is made."""
