"""Subjects of any kind: how alike they stay to their reference pictures and to themselves."""
