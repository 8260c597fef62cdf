"""The money page: sales, refunds and VAT as tables, charts and CSV files."""
