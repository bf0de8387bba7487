"""Registry: who people are, with whom they live, who cares for them, and where that is."""
