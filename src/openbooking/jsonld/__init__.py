"""JSON-LD: readers of request bodies, and writers of replies, feed items and the dataset.

- `read.py`: bytes to a JSON object; references and `@type`.
- `read_message.py`: a JSON object to a message, with mistakes tolerated. Unknown properties are dropped here.
- `read_order.py`: the bodies of C1, C2, P, B and PATCH. Lists which fault of a body raises which error class.
- `write.py`: Sellers, Offers, Opportunities, totals and taxes, for replies and feeds alike.
- `write_order.py`: replies and errors; `write_feed.py`: feed items; `write_dataset.py`: the dataset.
- `scalars.py`: prices, instants and durations in JSON.
"""
