"""The dataset card: a description of a dataset in numbers, and pages of it for people."""
