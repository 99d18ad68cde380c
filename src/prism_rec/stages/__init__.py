"""What is run: each stage is a settings class and one function that writes a folder."""
