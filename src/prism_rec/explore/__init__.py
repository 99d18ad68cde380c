"""A page to look at what a run recommends and why: made on the server, without scripts."""
