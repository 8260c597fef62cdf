"""The interfaces for programs.

- `booking.py`: C1, C2, P, B, cancellation, deletion and Order Status.
- `feeds.py`: the open feeds and the Orders feeds; `feed_pages.py`: compression and the cache of pages;
  `page_memory.py`: the limit on the memory of pages.
- `dataset_site.py`: the page of the dataset site.
- `operations.py`: /healthz, /readyz and /metrics; `metrics.py`: the metrics.
"""
