"""The data that decisions are made on: frozen structs without I/O."""
