"""Files with one record per line, of any size: read in fixed memory, with unusable lines counted and skipped."""
