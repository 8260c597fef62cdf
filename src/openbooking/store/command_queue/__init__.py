"""Commands that wait to be written: queued, in batches, or blocked by locks of other transactions."""
