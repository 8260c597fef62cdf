"""The commands of a Seller's office: Orders, proposals, occurrences, sales, the activity log and the data of a person."""
