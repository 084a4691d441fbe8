"""How well a video keeps to its timeline.

One pass over the frames (`passes`) shows them to a scorer (`scorers`); what it says of windows and texts
is compared with the prompted events (`alignment`). Beside it: are the actions there (`presence`), is it one
subject (`subject_consistency`), VideoScore (`video_score`), and what needs no weights (`lite`).
"""
