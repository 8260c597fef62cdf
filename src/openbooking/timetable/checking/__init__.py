"""The checks of rules, by the parts of a rule. `timetable.check` joins them."""
