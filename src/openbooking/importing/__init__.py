"""Import of the Opportunities that other systems publish in feeds and files.

`run.run_import` is the whole import:

1. `page_sources` fetches the pages of a feed, file or folder. A feed is read through `openbooking.harvest`.
2. `read_pages` reads their items with the readers in `reading/`, and puts drafts of Opportunities into the `spool`.
3. `publish` joins each draft with its parent and its Seller (`link_items`, `sellers`), and publishes it in the store.
4. `withdraw` withdraws Opportunities that are missing now, and takes those that are not understood off sale.

`report` collects a line for each item. `dry_run` replaces the store when nothing may change.
"""
