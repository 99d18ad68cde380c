"""Engines run an encoder over many contents: on this machine, or as Ray Data on a cluster."""
