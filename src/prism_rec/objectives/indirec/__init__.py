"""InDiRec (SIGIR 2025): intents of segments guide a diffusion whose output is contrasted with the encoder's."""
