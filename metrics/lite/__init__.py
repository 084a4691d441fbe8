"""Measurements that need no download and no GPU: stand-ins for the published ones."""
