"""Rewriting prompts with a language model."""
