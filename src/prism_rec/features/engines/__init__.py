"""Engines run an encoder over many contents: on this machine, or with Ray Data on a cluster."""
