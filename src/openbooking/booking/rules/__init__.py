"""The rules that commands share: pure functions over the model.

Where to find a rule: `capacity` (spaces left), `pricing` (VAT and totals), `holding` (what a Lease guarantees, how much
a partner may hold), `lifecycle` (allowed status changes), `erasure` (personal data), `fingerprint` (repeated requests).
"""
