"""A comparison as one page that needs nothing but a browser."""

from prism_rec.report.page import write_report

__all__ = ["write_report"]
