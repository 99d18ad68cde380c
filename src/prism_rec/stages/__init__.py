"""The stages: each is a settings class and one function that writes a folder."""
