"""What a model has learned: weights of its gate, places of its components, parts that its experts hold."""
