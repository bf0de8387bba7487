"""What everybody signed in looks after: their account, sessions, apps, and the role they act in."""
