"""The commands about the timetable of a Seller: its files, its entries and its weeks."""
