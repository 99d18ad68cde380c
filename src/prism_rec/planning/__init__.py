"""Time, memory and disk of a training run, predicted before it starts."""
