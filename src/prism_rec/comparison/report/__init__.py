"""A comparison as one page that needs only a browser."""
