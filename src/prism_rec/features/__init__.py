"""Pictures and texts -> vectors: images, encoders, embedding, tables."""
