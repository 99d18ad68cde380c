"""Search for settings: trials of one budget, judged by validation only."""
