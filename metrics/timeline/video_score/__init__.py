"""VideoScore: five scores of a whole video, by regression on Idefics2."""
