"""The catalogue: a copy of the open feeds of Booking Systems in the Broker's database, with an index for searches.

- `feeds` keeps pages of feeds, and `harvesting` reads the feeds.
- `things` splits items into things, and joins a thing with its parents.
- `bookable` decides which Offers a Broker can book.
- `rows` computes the row of a thing in the index, and `index` keeps the index equal to the items.
- `query` expresses a search in SQL, and `search` finds Opportunities with the index.
- `catalogue` joins these parts for one Booking System.
"""
