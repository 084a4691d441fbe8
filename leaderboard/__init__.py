"""Ranking of scored teams. Pandas in, pandas out; torch is never imported here."""
