"""What OpenS2V-Eval's totals are made of, beyond the face and text scores."""
