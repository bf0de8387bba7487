"""Who people and systems are: accounts, sign-in, sessions, apps and their tokens."""
