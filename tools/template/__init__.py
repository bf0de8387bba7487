"""Template service: one sentence, the same as in its manifest."""
