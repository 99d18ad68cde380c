"""Jobs: work that runs in separate processes."""
