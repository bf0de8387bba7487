"""Privacy: who has looked and why, what a person agreed to, who acts for whom, and access in an emergency."""
