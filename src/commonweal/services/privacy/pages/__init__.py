"""The pages of privacy, each file for one of those who use them."""
