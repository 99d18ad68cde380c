"""Models x data x seeds with one budget for all -> one table that says what it does not show."""
