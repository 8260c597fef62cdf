"""Timetables in files: TOML for a whole centre, and CSV for venues, classes and courts.

`content` reads the entries of files and reports each fault with its line and column. `toml_writing` writes entries.
`docs/reference/timetable-files.md` describes the files.
"""
