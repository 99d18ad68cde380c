"""Pictures and texts -> vectors: gathering pictures, encoders, engines, vector files."""
