"""Models x data x seeds with one budget for all -> one table that also says what it does not show."""
