"""Readers of published JSON-LD: they turn an item into drafts of Opportunities, without a store or a network.

- An *item* is an entry of a feed or file, with or without an RPDE envelope (`entries`).
- A *thing* is an object in an item that becomes an Opportunity or a parent of Opportunities: the outermost object, or
  an object that it embeds (`items`).
- A *draft* is a thing that has been read. It has no parent and no Seller yet (`items.Draft`).
- The *identity* of a thing decides which stored Opportunity it updates (`identity`).
- A *remark* tells the provider, in the report, what was assumed, changed or left out.

A reader raises `UnreadableError` (`openactive/published/values.py`) for a value that it does not understand. It guesses
nothing.
"""
