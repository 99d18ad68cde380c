"""PRISM (arXiv 2601.10944): experts, their losses, and the gate over them."""
