"""The commands: each module holds one decision, or several that belong together."""
