"""Models as files that recommend without PyTorch, in the formats of other programs."""
