"""For people: the shell, its pages and its components."""
