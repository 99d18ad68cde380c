"""Encoders turn texts or pictures into vectors: any Hugging Face model, or code that needs no download."""
