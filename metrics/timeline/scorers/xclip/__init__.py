"""X-CLIP as a scorer: clips of eight frames against texts that the video itself conditions."""
