"""Who may do what, for what purpose, and why not."""
